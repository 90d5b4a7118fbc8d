import * as vscode from 'vscode';
import type { Trust } from '../../../app/trueNas';
import { sandboxesIn } from '../../../sandbox/base';
import { toPixelsError } from '../../../sandbox/errors';
import { showError } from '../../errorMessage';
import type { Face } from '../../face';

export interface Draft {
  readonly host: string;
  readonly trust: Trust;
  readonly username: string;
  readonly apiKey: string;
}

/** Logs in once and tells the person what is there, or what went wrong; returns whether it worked. */
export async function tryConnection(face: Face, { host, trust, username, apiKey }: Draft): Promise<boolean> {
  const { openTrueNas } = await import('../../../app/trueNas');
  const location = vscode.ProgressLocation.Notification;
  try {
    const found = await vscode.window.withProgress(
      { location, title: vscode.l10n.t('Logging in to {0}', host) },
      async () => {
        const server = await openTrueNas({ kind: 'truenas', host, username, trust }, { apiKey, log: face.log });
        try {
          return { info: await server.info(), sandboxes: sandboxesIn(await server.list()).length };
        } finally {
          server.close();
        }
      },
    );
    void vscode.window.showInformationMessage(
      vscode.l10n.t('Connected to {0}. Sandboxes there: {1}.', found.info.title, found.sandboxes),
    );
    return true;
  } catch (thrown) {
    void showError(face, toPixelsError(thrown));
    return false;
  }
}
