// Writes cases.json: what Go's text/template with sprig makes of each line of templates.txt over
// data.json. Run by hand when templates are added:
//
//	go mod init golden && go get github.com/Masterminds/sprig/v3@v3.3.0 \
//	    github.com/Masterminds/semver/v3@v3.4.0 github.com/spf13/cast@v1.9.2 dario.cat/mergo@v1.0.2
//	TZ=UTC go run generate.go
package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"text/template"

	"github.com/Masterminds/sprig/v3"
)

type result struct {
	Template string `json:"template"`
	Output   string `json:"output"`
	Error    string `json:"error,omitempty"`
}

func read(name string) []string {
	raw, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	var templates, block []string
	inside := false
	for _, line := range strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n") {
		switch {
		case line == "<<<":
			inside, block = true, nil
		case line == ">>>":
			inside = false
			templates = append(templates, strings.Join(block, "\n"))
		case inside:
			block = append(block, line)
		case !strings.HasPrefix(line, "#"):
			templates = append(templates, line)
		}
	}
	return templates
}

func run(text string, data []byte) (r result) {
	r.Template = text
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		panic(err)
	}
	t, err := template.New("format output").Funcs(sprig.FuncMap()).Parse(text)
	var out bytes.Buffer
	if err == nil {
		err = t.Execute(&out, value)
	}
	r.Output = out.String()
	if err != nil {
		r.Error = err.Error()
	}
	return r
}

func main() {
	data, err := os.ReadFile("data.json")
	if err != nil {
		panic(err)
	}
	var results []result
	for _, text := range read("templates.txt") {
		results = append(results, run(text, data))
	}
	out, err := os.Create("cases.json")
	if err != nil {
		panic(err)
	}
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(results); err != nil {
		panic(err)
	}
	if err := out.Close(); err != nil {
		panic(err)
	}
}
