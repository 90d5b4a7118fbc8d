/**
 * As much of the editor's API as the unit tests of src/vscode/ touch. What the real one does is tested in the real one
 * (test/e2e); this only lets plain code run without it. Use: `vi.mock('vscode', () => import('./fakeVscode'))`.
 */

export const l10n = {
  t: (text: string, ...args: readonly unknown[]) =>
    text.replace(/\{(\d+)\}/g, (_, index) => String(args[Number(index)])),
};

export const env = { language: 'en', appName: 'Fake' };

export class Disposable {
  constructor(readonly dispose: () => void) {}
}

export class EventEmitter<T> {
  private readonly listeners = new Set<(event: T) => void>();
  readonly event = (listener: (event: T) => void) => {
    this.listeners.add(listener);
    return new Disposable(() => this.listeners.delete(listener));
  };
  fire(event: T): void {
    for (const listener of this.listeners) listener(event);
  }
  dispose(): void {
    this.listeners.clear();
  }
}

export class ThemeIcon {
  constructor(
    readonly id: string,
    readonly color?: unknown,
  ) {}
}
export class ThemeColor {
  constructor(readonly id: string) {}
}
export class MarkdownString {
  constructor(readonly value: string) {}
}
export class TreeItem {
  constructor(
    readonly label: string,
    readonly collapsibleState: number,
  ) {}
}
export enum TreeItemCollapsibleState {
  None,
  Collapsed,
  Expanded,
}
export enum ConfigurationTarget {
  Global = 1,
}
export enum ProgressLocation {
  Notification = 15,
}
export enum QuickPickItemKind {
  Separator = -1,
  Default = 0,
}

/** What the fake editor was told, and what it answers. A test empties it. */
export const told = {
  contexts: new Map<string, unknown>(),
  commands: new Map<string, (...args: unknown[]) => unknown>(),
  errors: [] as { text: string; buttons: readonly string[] }[],
  /** Warnings, whose `detail` is there when they were modal. */
  warnings: [] as { text: string; detail?: string; buttons: readonly string[] }[],
  infos: [] as { text: string; buttons: readonly string[] }[],
  /** Presses a button of the next warning. */
  pressed: [] as (string | undefined)[],
  /** Settings that a person set, by their whole identifier. */
  settings: new Map<string, unknown>(),
  workspaceFolders: undefined as { uri: { authority: string } }[] | undefined,
  /** Identifiers of those that are installed. */
  extensions: new Set<string>(),
  /** Documents that were shown as text. */
  documents: [] as string[],
  /** The text of a document that is no file. */
  provide: (uri: unknown): string => String(uri),
};

export const commands = {
  registerCommand: (id: string, run: (...args: unknown[]) => unknown) => {
    told.commands.set(id, run);
    return new Disposable(() => told.commands.delete(id));
  },
  executeCommand: (id: string, ...args: unknown[]) => {
    if (id === 'setContext') told.contexts.set(String(args[0]), args[1]);
    return Promise.resolve(told.commands.get(id)?.(...args));
  },
};

export class Uri {
  private constructor(
    private readonly scheme: string,
    private readonly path: string,
  ) {}
  static from({ scheme, path }: { scheme: string; path: string }): Uri {
    return new Uri(scheme, path);
  }
  toString(): string {
    return `${this.scheme}:${this.path}`;
  }
}

export const extensions = {
  getExtension: (id: string) => (told.extensions.has(id) ? { id } : undefined),
  all: [] as unknown[],
};

const nothing = () => undefined;

export const window = {
  createOutputChannel: () => ({
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: nothing,
    error: nothing,
    dispose: nothing,
  }),
  createTreeView: () => ({
    visible: false,
    onDidChangeVisibility: () => new Disposable(nothing),
    onDidExpandElement: () => new Disposable(nothing),
    onDidCollapseElement: () => new Disposable(nothing),
    dispose: nothing,
  }),
  registerTerminalProfileProvider: () => new Disposable(nothing),
  showTextDocument: (uri: Uri) => Promise.resolve(told.documents.push(String(uri))),
  showErrorMessage: (text: string, ...buttons: string[]) => {
    told.errors.push({ text, buttons });
    return Promise.resolve(undefined);
  },
  showInformationMessage: (text: string, ...buttons: string[]) => {
    told.infos.push({ text, buttons });
    return Promise.resolve(undefined);
  },
  showWarningMessage: (text: string, ...rest: (string | { detail?: string })[]) => {
    const buttons = rest.filter((each) => typeof each === 'string');
    const options = rest.find((each) => typeof each === 'object');
    told.warnings.push({ text, ...(options?.detail === undefined ? {} : { detail: options.detail }), buttons });
    return Promise.resolve(told.pressed.shift());
  },
  withProgress: (
    _options: unknown,
    work: (progress: { report: (step: unknown) => void }, token: unknown) => Promise<unknown>,
  ) => work({ report: nothing }, { onCancellationRequested: () => new Disposable(nothing) }),
};

export const workspace = {
  get workspaceFolders() {
    return told.workspaceFolders;
  },
  onDidChangeConfiguration: () => new Disposable(nothing),
  registerTextDocumentContentProvider: (
    _scheme: string,
    { provideTextDocumentContent: provide }: { provideTextDocumentContent: (uri: unknown) => string },
  ) => {
    told.provide = provide;
    return new Disposable(nothing);
  },
  getConfiguration: (section: string) => ({
    inspect: (key: string) => ({ globalValue: told.settings.get(`${section}.${key}`) }),
    get: (key: string) => told.settings.get(`${section}.${key}`),
    update: (key: string, value: unknown) => Promise.resolve(told.settings.set(`${section}.${key}`, value)),
  }),
};
