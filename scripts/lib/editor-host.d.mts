/** All that a VS Code for tests reads and writes. */
export interface Profile {
  readonly directory: string;
  /** HOME of the editor and of what it starts. */
  readonly home: string;
  readonly password: string;
  readonly workspace: string;
}

export interface Editor {
  readonly url: string;
  /** Host and port, as in `vscode-remote://AUTHORITY/path`. */
  readonly authority: string;
  readonly profile: Profile;
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}

export interface ProfileOptions {
  home?: string | undefined;
  settings?: Record<string, unknown>;
  /** The editor's directory, as in PIXELS_TEST_EDITOR; by default the one in the cache. */
  editor?: string | undefined;
}

export function createProfile(directory: string, options?: ProfileOptions): Profile;
export function editorEnvironment(profile: Profile): Record<string, string | undefined>;
export function installExtension(profile: Profile, vsix: string): Promise<void>;
export function startEditor(
  profile: Profile,
  options?: { port?: number; env?: Record<string, string | undefined> },
): Promise<Editor>;
