import type { SandboxName } from './name';
import type { Run, SandboxHost } from './host';
import type { ProvisionProgress, ProvisionRecord } from './provisioning';

/**
 * What the use cases need done inside a sandbox. The domain says when; the provision room knows how.
 */
export interface GuestSetup {
  /**
   * Reads what the set-up needs on this machine, so that it is known to be usable before anything is made for it.
   * @throws PixelsError `config`.
   */
  prepare(): Promise<void>;

  /**
   * Tells a running sandbox what it has to know before anything is downloaded in it; {@link setUpAccess} does so too.
   * @throws PixelsError `failed` with the last line of what went wrong inside.
   */
  tell(host: SandboxHost, name: SandboxName, run: Run): Promise<void>;

  /**
   * Makes sure that the user, sudo, sshd and the public key are there, in a running sandbox. Doing it again changes nothing.
   * @param newHostKey a copy gets host keys of its own.
   * @throws PixelsError `failed` with the last line of what went wrong inside.
   */
  setUpAccess(host: SandboxHost, name: SandboxName, options: { newHostKey: boolean }, run: Run): Promise<Access>;

  /**
   * What of the network {@link setUpAccess} and a recipe need in a running sandbox: domains, addresses, and groups of the egress
   * preset, `@system`. What the sandbox itself names counts only while nobody else has been in it.
   * @throws PixelsError `not-found`, `config` (recipe).
   */
  needs(host: SandboxHost, name: SandboxName, wanted: SetUpNeeds, run: Run): Promise<readonly string[]>;

  /**
   * Takes out of a running sandbox what copies of it must not have: keys of persons and of the machine, its identity, histories,
   * caches. To be done just before it is stopped for good; the log of its recipe stays.
   * @throws PixelsError `failed`.
   */
  seal(host: SandboxHost, name: SandboxName, run: Run): Promise<void>;

  readonly recipes: RecipeSetup;
}

export interface SetUpNeeds {
  readonly recipe?: string | undefined;
  /** Whether an editor's server is put in too. */
  readonly editor: boolean;
  /** Whether it has just been made from its image. */
  readonly isNew: boolean;
}

/** What the use cases need to know and do about recipes. The provision room knows what a recipe is. */
export interface RecipeSetup {
  /** @throws PixelsError `not-found`, `config` where {@link begin} would. Asks no sandbox. */
  check(recipe: string): Promise<void>;

  /**
   * Puts a recipe into a running sandbox and begins with it there, in the background and across restarts. What is there
   * already is skipped.
   * @param recipe its id, or the path of its file.
   * @param editor the editor whose server is put in too, where it can be had.
   * @returns the record to be kept with the sandbox.
   * @throws PixelsError `not-found` (recipe), `config`, `failed`, before anything is changed inside.
   */
  begin(
    host: SandboxHost,
    name: SandboxName,
    recipe: string,
    run: Run,
    editor?: EditorServer,
  ): Promise<ProvisionRecord>;

  /**
   * Puts the server of an editor into a running sandbox whose recipe has been carried out, where it can be had, as {@link begin}
   * does with a recipe: until it has ended, the sandbox tells of this alone.
   * @returns false, and changes nothing, for an editor that does not say where its server is.
   * @throws PixelsError `failed`, before anything is changed inside.
   */
  addEditorServer(host: SandboxHost, name: SandboxName, editor: EditorServer, run: Run): Promise<boolean>;

  /** How far it is in a running sandbox; undefined where nothing was put in, or no longer is. */
  look(host: SandboxHost, name: SandboxName, signal?: AbortSignal): Promise<ProvisionProgress | undefined>;

  /**
   * Tells every step until it has ended; costs nothing while nothing happens.
   * @returns how it ended: `running` when the sandbox was stopped meanwhile; undefined as for `look`.
   */
  follow(
    host: SandboxHost,
    name: SandboxName,
    onProgress: (progress: ProvisionProgress) => void,
    signal?: AbortSignal,
  ): Promise<ProvisionProgress | undefined>;
}

/** Which server an editor's remote windows need inside, as its product.json says. */
export interface EditorServer {
  /** Of the editor's source: the server has to be of the same. */
  readonly commit: string;
  /** `stable` or `insider`. */
  readonly quality: string;
  /** In the home directory: `.vscode-server`. */
  readonly dataFolder: string;
  /** Where it is downloaded from: `https://update.code.visualstudio.com`. */
  readonly updateUrl: string;
}

/** A way in that has been set up. */
export interface Access {
  /** The sandbox's SSH host key, `ssh-ed25519 AAAA…`. */
  readonly hostKey: string;
  readonly sshUser: string;
}
