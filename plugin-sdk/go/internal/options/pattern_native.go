//go:build !wasip1

package options

import (
	"fmt"
	"regexp"
)

// fits holds a text to a pattern.
func fits(pattern, text string) error {
	expression, err := regexp.Compile(pattern)
	if err != nil {
		return fmt.Errorf("has a broken pattern: %w", err)
	}
	if !expression.MatchString(text) {
		return fmt.Errorf("is %q, which does not fit the pattern %s", text, pattern)
	}
	return nil
}
