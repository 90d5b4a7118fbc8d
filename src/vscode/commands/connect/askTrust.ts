import * as vscode from 'vscode';
import type { ServerProbe, Trust } from '../../../app/trueNas';
import type { Answer } from '../../input';

type Pin = Extract<Trust, { kind: 'pin' }>;

/**
 * Looks at the server's certificate. One that an authority vouches for needs no question; any other one is shown, for a
 * person to compare. Nothing secret has been sent by then.
 * @throws PixelsError `unreachable`, `unsupported` (no TrueNAS).
 */
export async function askTrust(host: string): Promise<Answer<Trust>> {
  const seen = await look(host);
  return seen.validByCa ? { kind: 'answer', value: { kind: 'system' } } : confirm(host, seen);
}

/** Shows the server's certificate, whoever vouches for it, for a person to compare. @throws as {@link askTrust}. */
export async function askPin(host: string): Promise<Answer<Pin>> {
  return confirm(host, await look(host));
}

async function look(host: string): Promise<ServerProbe> {
  const { parseTrueNasHost, probeServer } = await import('../../../app/trueNas');
  const endpoint = parseTrueNasHost(host);
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: vscode.l10n.t('Looking at {0}', host) },
    () => probeServer(endpoint.host, endpoint.port),
  );
}

async function confirm(host: string, { fingerprint256, subject, validByCa }: ServerProbe): Promise<Answer<Pin>> {
  const trust = vscode.l10n.t('Trust This Certificate');
  const bytes = fingerprint256.split(':');
  const detail = [
    validByCa
      ? vscode.l10n.t('An authority that this machine trusts vouches for it. Its SHA-256 fingerprint:')
      : vscode.l10n.t(
          'No authority that this machine trusts vouches for it, as is usual for a NAS. Its SHA-256 fingerprint:',
        ),
    `${bytes.slice(0, 16).join(':')}:\n${bytes.slice(16).join(':')}`,
    vscode.l10n.t('It names {0}. From now on this certificate is accepted for {1}, and no other.', subject, host),
  ].join('\n\n');
  const question = vscode.l10n.t('Is this the certificate of {0}?', host);
  const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, trust);
  return answer === trust ? { kind: 'answer', value: { kind: 'pin', fingerprint256 } } : { kind: 'back' };
}
