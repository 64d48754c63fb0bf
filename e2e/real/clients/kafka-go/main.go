// Command kafka-go-trial tries segmentio/kafka-go on a broker. The plan arrives as one JSON document on standard input;
// every section prints one line of JSON: what it saw, or the error that ended it. Judging is not done here. The library
// has no idempotent and no transactional producer, so those sections are missing.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"
	"time"
)

type plan struct {
	Bootstrap        string
	Codecs           []string
	FirstTimestampMs int64
	// Pairs of key and value.
	Records [][2]string
}

type section struct {
	name string
	run  func(context.Context, plan) (any, error)
}

func main() {
	var given plan
	if err := json.NewDecoder(os.Stdin).Decode(&given); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	say("client", "kafka-go "+libraryVersion(), nil)
	sections := []section{{"admin", administer}, {"codecs", codecs}, {"time", seekByTime}, {"groups", groups}}
	for _, section := range sections {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		result, err := section.run(ctx, given)
		cancel()
		say(section.name, result, err)
	}
}

func say(name string, result any, err error) {
	line := map[string]any{"section": name, "result": result}
	if err != nil {
		line = map[string]any{"section": name, "error": err.Error()}
	}
	text, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}

func libraryVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == "github.com/segmentio/kafka-go" {
				return module.Version
			}
		}
	}
	return "of unknown version"
}
