import fs from 'node:fs';
import path from 'node:path';
import type { PixelsError } from '../sandbox/errors';
import { toPixelsError } from '../sandbox/errors';
import type { Closable } from '../sandbox/host';
import { configPath, loadConfig, type LoadedConfig, type LoadOptions } from './load';

export interface ConfigListener {
  /** The file changed and is good. Whoever keeps the configuration replaces it by this one. */
  onDidChange(loaded: LoadedConfig): void;
  /** The file changed and cannot be used: the configuration in use stays. */
  onDidFail(error: PixelsError): void;
}

/** Editors write a file in several steps; it is read when they have been quiet for this long. */
const QUIET_MS = 100;

/**
 * Reports every change of the configuration file until closed: written in place, replaced (as editors do), made,
 * removed, also when its directory does not exist yet or it is a link to a file elsewhere. Costs nothing meanwhile.
 */
export function watchConfig(options: LoadOptions, listener: ConfigListener): Closable {
  const file = options.file ?? configPath(options.env);
  const watchers = new Map<string, fs.FSWatcher>();
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let known = contentOf(file);

  const look = async () => {
    // First the watchers, then the file: what changes in between is seen by them.
    watchDirectories();
    const content = contentOf(file);
    if (content === known) return;
    known = content;
    try {
      const loaded = await loadConfig({ ...options, file });
      if (!closed) listener.onDidChange(loaded);
    } catch (error) {
      if (!closed) listener.onDidFail(toPixelsError(error));
    }
  };

  const lookSoon = () => {
    clearTimeout(timer);
    if (!closed) timer = setTimeout(() => void look(), QUIET_MS);
  };

  const watchDirectories = () => {
    const wanted = directoriesToWatch(file);
    for (const [directory, watcher] of watchers) {
      if (wanted.has(directory)) continue;
      watcher.close();
      watchers.delete(directory);
    }
    for (const directory of wanted) {
      if (closed || watchers.has(directory)) continue;
      try {
        const watcher = fs.watch(directory, { persistent: false }, lookSoon);
        const lost = () => {
          watcher.close();
          watchers.delete(directory);
          lookSoon();
        };
        watcher.on('error', lost);
        watchers.set(directory, watcher);
      } catch {
        // It went away just now; its parent's watcher tells.
        lookSoon();
      }
    }
  };

  watchDirectories();
  return {
    close: () => {
      closed = true;
      clearTimeout(timer);
      for (const watcher of watchers.values()) watcher.close();
      watchers.clear();
    },
  };
}

/**
 * The file's directory (or the nearest one above that exists) and the one above, which tells when that is removed and
 * made again; and the same for the file that it is a link to. Directories rather than the file: a file that is
 * replaced by a rename takes its watcher with it.
 */
function directoriesToWatch(file: string): Set<string> {
  const directories = new Set<string>();
  for (const place of new Set([file, realPath(file)])) {
    let directory = path.dirname(place);
    while (!fs.existsSync(directory) && directory !== path.dirname(directory)) directory = path.dirname(directory);
    directories.add(directory);
    directories.add(path.dirname(directory));
  }
  return directories;
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch {
    return file;
  }
}

/** Undefined for no file; a file that cannot be read counts as different from every content. */
function contentOf(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? undefined : `\0${code ?? ''}`;
  }
}
