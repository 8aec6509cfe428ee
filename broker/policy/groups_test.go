package policy

import (
	"strings"
	"testing"
)

func TestMessageGroupMapFactoryType(t *testing.T) {
	for text, want := range map[string]Groups{
		"": {1024, 0}, "cached": {1024, 0}, "cached?cacheSize=3": {3, 0}, "simple": {65535, 0}, "bucket": {1024, 1024},
		"bucket?bucketCount=16&cacheSize=4": {16, 16},
	} {
		p := Default()
		p.MessageGroupMapFactoryType = text
		if err := p.Validate(); err != nil || p.Groups() != want {
			t.Errorf("%s: %+v, %v", text, p.Groups(), err)
		}
	}
	for text, want := range map[string]string{"other": "write cached, bucket or simple", "cached?cacheSize=0": "from 1 to 65535", "cached?cacheSize=x": "from 1", "bucket?%": "escape"} {
		p := Default()
		p.MessageGroupMapFactoryType = text
		if err := p.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
