import fs from 'node:fs/promises';
import path from 'node:path';
import * as vscode from 'vscode';
import type { Face } from '../face';

/** What a new configuration file says. All of it is commented out: an empty file means the defaults. */
const TEMPLATE = `# Pixels, for the editor and the \`pixels\` command. Settings of the editor win over this file.

# [incus]
# socket = "/var/lib/incus/unix.socket"
# remote = "https://nas.lan:8443"
# project = "default"

# [defaults]
# image = "debian/12"
# cpu = 2
# memory = 4096

# [ssh]
# user = "pixel"

# [env]
# ANTHROPIC_API_KEY = { forward = true }
`;

/** Opens the configuration file; makes one with examples when there is none. */
export async function openConfigFile(face: Face): Promise<void> {
  const file = await face.current.configFile();
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, TEMPLATE, { flag: 'wx', mode: 0o600 }).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  });
  await vscode.window.showTextDocument(vscode.Uri.file(file));
}
