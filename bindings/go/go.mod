module hirenow

go 1.19
