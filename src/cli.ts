#!/usr/bin/env node
// The `pixels` command. What it does is in cli/; this file only starts it and ends the process.
import nodeModule from 'node:module';
import { main } from './cli/main';

// Node 22 and newer keep compiled code between runs.
(nodeModule as { enableCompileCache?: () => void }).enableCompileCache?.();

// Exits by itself, since a standard input that nobody closes would keep the process alive.
void main(process.argv.slice(2), { process, dist: import.meta.dirname }).then((exitCode) => process.exit(exitCode));
