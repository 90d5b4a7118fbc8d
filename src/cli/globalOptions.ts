import type { Options, Values } from './command';

/** What every command takes, before or after its name. */
export const GLOBAL_OPTIONS = {
  config: { type: 'string', value: 'FILE', help: 'Configuration file instead of ~/.config/pixels/config.toml' },
  socket: { type: 'string', value: 'PATH', help: 'Unix socket of the Incus daemon' },
  remote: { type: 'string', value: 'URL', help: 'Address of a remote Incus server' },
  project: { type: 'string', value: 'NAME', help: 'Incus project' },
  json: { type: 'boolean', help: 'Print JSON on standard output' },
  quiet: { type: 'boolean', short: 'q', help: 'Say nothing but results and errors' },
  verbose: { type: 'boolean', short: 'v', help: 'Print every call to the server on standard error' },
  help: { type: 'boolean', short: 'h', help: 'Explain a command' },
  version: { type: 'boolean', help: 'Print the version' },
} as const satisfies Options;

export type GlobalFlags = Values<typeof GLOBAL_OPTIONS>;
