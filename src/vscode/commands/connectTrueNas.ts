import * as vscode from 'vscode';
import type { Trust } from '../../app/trueNas';
import { sentence, toPixelsError } from '../../sandbox/errors';
import type { Face } from '../face';
import { askAll, askText, type Answer, type Position } from '../input';
import { saveSettings } from '../settings';
import { saveApiKey } from '../trueNasKey';
import { askTrust } from './connect/askTrust';
import { tryConnection } from './connect/tryConnection';

/** Host, certificate, user, API key; tries them, and only then keeps them: the key among the editor's secrets. */
export async function connectTrueNas(face: Face): Promise<void> {
  const title = vscode.l10n.t('Connect to TrueNAS');
  const { parseTrueNasHost } = await import('../../app/trueNas');
  const { config } = await face.current.configuration();
  const draft = {
    host: config.truenas.host ?? '',
    trust: { kind: 'system' } as Trust,
    username: config.truenas.username,
    apiKey: '',
  };
  const questions = [
    (position: Position) =>
      keep(
        askText({
          title,
          position,
          value: draft.host,
          prompt: vscode.l10n.t('Address of the TrueNAS web interface'),
          placeholder: vscode.l10n.t('nas.lan or nas.lan:8443'),
          problem: (text) => problemWith(() => parseTrueNasHost(text)),
        }),
        (host) => (draft.host = host),
      ),
    () => keep(askTrust(draft.host), (trust) => (draft.trust = trust)),
    (position: Position) =>
      keep(
        askText({
          title,
          position,
          value: draft.username,
          prompt: vscode.l10n.t('User that the API key belongs to'),
          problem: (text) => (text === '' ? vscode.l10n.t('Name the user.') : undefined),
        }),
        (username) => (draft.username = username),
      ),
    async (position: Position) => {
      for (;;) {
        const answer = await keep(askKey(title, position), (apiKey) => (draft.apiKey = apiKey));
        if (answer.kind !== 'answer' || (await tryConnection(face, draft))) return answer;
      }
    },
  ];
  if (!(await askAll(questions))) return;
  const { host, trust, username, apiKey } = draft;
  await saveApiKey(face.secrets, { host, username }, apiKey);
  await saveSettings({
    'truenas.host': host,
    'truenas.username': username,
    'truenas.fingerprint': trust.kind === 'pin' ? trust.fingerprint256 : undefined,
    backend: 'truenas', // the last one: each takes effect at once
  });
  await face.current.reload();
}

function askKey(title: string, position: Position): Promise<Answer<string>> {
  return askText({
    title,
    position,
    password: true,
    prompt: vscode.l10n.t('API key, made in TrueNAS under Credentials, Users, API Keys'),
    placeholder: vscode.l10n.t('A number, a dash and 64 letters and digits'),
    problem: (text) => (/^\d+-\w{64}$/.test(text) ? undefined : vscode.l10n.t('That is no API key: copy it again.')),
  });
}

async function keep<T>(asking: Promise<Answer<T>>, take: (value: T) => void): Promise<Answer<T>> {
  const answer = await asking;
  if (answer.kind === 'answer') take(answer.value);
  return answer;
}

function problemWith(check: () => unknown): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return sentence(toPixelsError(error));
  }
}
