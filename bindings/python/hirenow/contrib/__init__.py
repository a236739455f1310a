"""What fits hirenow into other people's frameworks. `hirenow.contrib.django` is for Django."""
