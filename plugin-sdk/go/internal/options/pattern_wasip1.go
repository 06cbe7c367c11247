package options

// fits is left to the host, which has held the text to the schema: regular expressions would make every component larger.
func fits(string, string) error { return nil }
