"""What an ABI may become: nothing that was described goes, moves or changes its type, and what is new comes at the end.
`abidiff` tells that something changed; these rules tell whether it may."""

import xml.etree.ElementTree


class Description:
    """Structs and functions of a description that abidw wrote. A type is its C spelling."""

    def __init__(self, path):
        self._by_id = {}
        self._words = {}
        top = xml.etree.ElementTree.parse(path).getroot()
        for element in top.iter():
            if "id" in element.attrib and element.tag != "subrange":
                # A struct that is declared in one place and defined in another stands there twice.
                if element.attrib["id"] not in self._by_id or "is-declaration-only" not in element.attrib:
                    self._by_id[element.attrib["id"]] = element
        self.structs = {}
        self.functions = {}
        for element in top.iter("class-decl"):
            if "size-in-bits" not in element.attrib:
                continue
            fields = []
            for member in element.iter("data-member"):
                variable = member.find("var-decl")
                fields.append((variable.get("name"), int(member.get("layout-offset-in-bits")) // 8, variable.get("type-id")))
            named = [(name, offset, self._spell(kind)) for name, offset, kind in fields]
            self.structs[element.get("name")] = (int(element.get("size-in-bits")) // 8, named)
        for element in top.iter("function-decl"):
            self.functions[element.get("name")] = self._signature(element)

    def _signature(self, element):
        arguments = ", ".join(self._spell(p.get("type-id")) for p in element.findall("parameter"))
        return f"{self._spell(element.find('return').get('type-id'))} ({arguments})"

    def _spell(self, name):
        if name in self._words:
            return self._words[name]
        self._words[name] = "..."
        e = self._by_id[name]
        if e.tag == "pointer-type-def":
            said = self._spell(e.get("type-id")) + " *"
        elif e.tag == "qualified-type-def":
            said = self._spell(e.get("type-id")) + " const"
        elif e.tag == "array-type-def":
            said = self._spell(e.get("type-id")) + "".join(f"[{s.get('length')}]" for s in e.findall("subrange"))
        elif e.tag == "typedef-decl" and self._by_id[e.get("type-id")].tag != "class-decl":
            said = f"{e.get('name')}:{self._spell(e.get('type-id'))}"
        elif e.tag == "typedef-decl":
            said = self._spell(e.get("type-id"))
        elif e.tag == "function-type":
            said = self._signature(e)
        else:
            said = f"{e.get('name')}/{e.get('size-in-bits')}" if e.tag == "type-decl" else e.get("name")
        self._words[name] = said
        return said


def may_grow(fields):
    return bool(fields) and fields[0][0] == "struct_size"


def layout_faults(description):
    """What stands in the way of growth: a struct that may grow is never held by value."""
    growing = {name for name, (_, fields) in description.structs.items() if may_grow(fields)}
    return [
        f"{name}.{field} holds {kind} by value, which may grow"
        for name, (_, fields) in description.structs.items()
        for field, _, kind in fields
        if kind.split("[")[0] in growing
    ]


def growth_faults(old, new):
    """What programs built with the old description would not survive."""
    faults = []
    for name, signature in old.functions.items():
        if new.functions.get(name) != signature:
            faults.append(f"{name} was {signature}, and is {new.functions.get(name, 'gone')}")
    for name, (size, fields) in old.structs.items():
        if name not in new.structs:
            faults.append(f"{name} is gone")
            continue
        new_size, new_fields = new.structs[name]
        for before, after in zip(fields, new_fields):
            if before != after:
                faults.append(f"{name}: {before} became {after}")
                break
        else:
            added = new_fields[len(fields) :]
            if len(new_fields) < len(fields):
                faults.append(f"{name}.{fields[len(new_fields)][0]} is gone")
            elif added and not may_grow(fields):
                faults.append(f"{name} has no struct_size, and so it never grows; {added[0][0]} was added")
            elif added and added[0][1] < size:
                faults.append(f"{name}.{added[0][0]} lies in what was padding at the end")
            elif not added and new_size != size:
                faults.append(f"{name} had {size} bytes, and has {new_size}")
    return faults


def value_faults(old, new):
    """Numbers that programs have compiled in. A count may grow."""
    faults = []
    for name, value in old.items():
        now = new.get(name)
        if now is None or (now != value and not (name.endswith("_COUNT") and now > value)):
            faults.append(f"{name} was {value}, and is {'gone' if now is None else now}")
    return faults
