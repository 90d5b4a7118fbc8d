import { flag, oneOf, optional, proxyAddress, text, texts, wholeNumber, withDefault, type Setting } from './setting';

const path = { path: true } as const;

/**
 * Every key, declared once. `defaults.memoryMiB` is `memory` under `[defaults]` in the file and PIXELS_DEFAULTS_MEMORY in
 * the environment. Keys are those of the command-line tool that Pixels follows, so that one file serves both;
 * `alsoEnv` are that tool's names where its own differ from the rule.
 */
export const SCHEMA = {
  backend: withDefault(oneOf('incus', 'truenas'), 'incus'),
  incus: {
    socket: optional(text, { ...path, weakEnv: 'INCUS_SOCKET' }),
    /** `https://nas.lan:8443`; the scheme and the port may be left out. */
    remote: optional(text),
    clientCert: optional(text, path),
    clientKey: optional(text, path),
    serverCert: optional(text, path),
    project: optional(text),
    /** Address of the simplestreams server that images come from. */
    imageServer: optional(text),
  },
  truenas: {
    host: optional(text),
    port: optional(wholeNumber('a TCP port', 1, 65535)),
    username: withDefault(text, 'root'),
    apiKey: optional(text, { secret: true }),
    insecureSkipVerify: withDefault(flag, false, { alsoEnv: ['PIXELS_TRUENAS_INSECURE'] }),
    /** SHA-256 of the server's certificate: the only one that is accepted then. */
    fingerprint: optional(text),
    /** Certificate authorities to trust besides the machine's own. */
    caCert: optional(text, path),
    linkedClones: withDefault(flag, false),
  },
  defaults: {
    image: withDefault(text, 'debian/12', { alsoEnv: ['PIXELS_DEFAULT_IMAGE'] }),
    cpu: optional(wholeNumber('CPUs', 1), { alsoEnv: ['PIXELS_DEFAULT_CPU'] }),
    memoryMiB: optional(wholeNumber('MiB', 1), { key: 'memory', alsoEnv: ['PIXELS_DEFAULT_MEMORY'] }),
    pool: optional(text, { alsoEnv: ['PIXELS_DEFAULT_POOL'] }),
    network: optional(text),
    dns: withDefault(texts, []),
    /** How a sandbox on TrueNAS is connected; `network` and the rest are chosen by looking where these are left out. */
    nicType: optional(oneOf('MACVLAN', 'BRIDGED', 'NAT')),
    parent: optional(text),
  },
  ssh: {
    user: withDefault(text, 'pixel'),
    /** A private key to use instead of one that Pixels makes. */
    key: optional(text, path),
    transport: withDefault(oneOf('auto', 'tunnel', 'direct'), 'auto'),
  },
  provision: {
    enabled: withDefault(flag, true),
    /** Put a recipe in at all. */
    devtools: withDefault(flag, true),
    /** Which one: its id, or the path of its file. */
    recipe: withDefault(text, 'agent'),
    /** Put the server of the editor that makes a sandbox into it, for its first window. */
    editorServer: withDefault(flag, true),
    /** Build the base of that recipe in the background when a sandbox would have been made of it and it was not there. */
    autoBuild: withDefault(flag, true, { alsoEnv: ['PIXELS_BASES_AUTO_BUILD'] }),
    /** Where npm packages come from in sandboxes; default: where they come from here. */
    npmRegistry: optional(text),
    /** PEM files of authorities that a sandbox trusts besides its own: a company's, whose network signs all TLS. */
    caCertificates: withDefault(texts, [], path),
    /** It may have a password in it. */
    proxy: optional(proxyAddress, { secret: true }),
    /** As in the variable of that name: hosts and domains that are reached without the proxy. */
    noProxy: optional(text),
  },
  network: {
    egress: withDefault(oneOf('unrestricted', 'agent', 'allowlist'), 'unrestricted'),
    allow: withDefault(texts, []),
    /** Where policies of new sandboxes are enforced: inside them, by a gateway outside, or by that where there can be one. */
    enforcement: withDefault(oneOf('auto', 'guest', 'gateway'), 'auto'),
  },
};

/** Keys of the other tool that mean nothing here, and why. They are no typing mistakes. */
export const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  'ssh.strict_host_keys': 'host keys are always checked',
  'checkpoint.dataset_prefix': 'the server knows where checkpoints are',
};

type ValueOf<S> = S extends Setting<infer T> ? T : { readonly [K in keyof S]: ValueOf<S[K]> };

/** A variable for the sandbox's environment, from `[env]`. */
export interface EnvVariable {
  /** Undefined: it is to be forwarded, and not set in the person's environment now. */
  readonly value: string | undefined;
  /** Given to consoles, commands and SSH sessions, and never written into the sandbox. */
  readonly sessionOnly: boolean;
  /** The value stands in the file as it is: nothing of the person's environment is in it. */
  readonly plain: boolean;
}

/** The whole configuration, checked and frozen. */
export interface Config extends ValueOf<typeof SCHEMA> {
  readonly env: Readonly<Record<string, EnvVariable>>;
  /** `[mcp]` as it is in the file. */
  readonly mcp: Readonly<Record<string, unknown>>;
  /** `[mcp.bases.NAME]`, checked as far as one can without knowing the others. */
  readonly bases: Readonly<Record<string, OwnBase>>;
}

/** A base of the person's own. It has an image or another base that it comes from. */
export interface OwnBase {
  readonly image?: string | undefined;
  readonly from?: string | undefined;
  /** A whole path. */
  readonly setupScript?: string | undefined;
  readonly description?: string | undefined;
}

type Loose<T> = { readonly [K in keyof T]?: T[K] | undefined };

/** Values from flags or editor settings. They win over everything; undefined and '' mean that nothing was said. */
export type ConfigOverrides = {
  readonly [K in keyof typeof SCHEMA]?:
    ((typeof SCHEMA)[K] extends Setting<infer T> ? T : Loose<ValueOf<(typeof SCHEMA)[K]>>) | undefined;
};

/** One key with all of its names. */
export interface NamedSetting {
  /** Where the value is in {@link Config}: `['defaults', 'memoryMiB']`. */
  readonly path: readonly string[];
  /** As in the file: `defaults.memory`. */
  readonly key: string;
  readonly envNames: readonly string[];
  readonly setting: Setting<unknown>;
}

export const SETTINGS: readonly NamedSetting[] = Object.entries(SCHEMA).flatMap(([name, entry]) =>
  isSetting(entry)
    ? [named([name], entry)]
    : Object.entries(entry).map(([inner, setting]) => named([name, inner], setting as Setting<unknown>)),
);

/** `[env]` and `[mcp]` are tables whose keys a person chooses. */
export const OPEN_SECTIONS: readonly string[] = ['env', 'mcp'];

function isSetting(entry: object): entry is Setting<unknown> {
  return 'kind' in entry;
}

function named(path: readonly string[], setting: Setting<unknown>): NamedSetting {
  const last = setting.options.key ?? (path.at(-1) ?? '').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const key = [...path.slice(0, -1), last].join('.');
  return {
    path,
    key,
    envNames: [`PIXELS_${key.toUpperCase().replaceAll('.', '_')}`, ...(setting.options.alsoEnv ?? [])],
    setting,
  };
}
