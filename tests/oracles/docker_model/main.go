// SPDX-License-Identifier: Apache-2.0

// Command docker_model pulls a model with the library of Docker's model runner into a store
// (first argument), and prints the directory in which it has laid the files down.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/docker/model-runner/pkg/distribution/distribution"
	"github.com/docker/model-runner/pkg/distribution/registry"
)

func main() {
	reg := registry.NewClient(registry.WithPlainHTTP(true))
	client, err := distribution.NewClient(distribution.WithStoreRootPath(os.Args[1]), distribution.WithRegistryClient(reg))
	check(err)
	check(client.PullModel(context.Background(), os.Args[2], os.Stderr))
	bundle, err := client.GetBundle(os.Args[2])
	check(err)
	fmt.Println(bundle.RootDir())
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
