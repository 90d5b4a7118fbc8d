#!/usr/bin/env node
// The `pixels` command. What it does is in cli/; this file only starts it and ends the process.
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { main } from './cli/main';

// Node 22 and newer keep compiled code between runs.
(nodeModule as { enableCompileCache?: () => void }).enableCompileCache?.();

const dist = fileURLToPath(new URL('.', import.meta.url));
// Exits by itself, since a standard input that nobody closes would keep the process alive.
void main(process.argv.slice(2), { process, dist }).then((exitCode) => process.exit(exitCode));
