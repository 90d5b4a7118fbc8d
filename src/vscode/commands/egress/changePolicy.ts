import * as vscode from 'vscode';
import type { Pixels } from '../../../app/pixels';
import type { Policy, Preset } from '../../../egress';
import { PixelsError } from '../../../sandbox/errors';
import type { SandboxName } from '../../../sandbox/name';
import { runAction } from '../../action';
import type { Face } from '../../face';

/**
 * Changes the policy that a sandbox has, whatever it is by then, and says what came of it and whether that is so now.
 * @param done what is so then, without a full stop: "web may reach example.org".
 */
export async function changePolicy(
  face: Face,
  name: SandboxName,
  change: (policy: Policy, preset: Preset) => Policy,
  done: (policy: Policy, preset: Preset) => string,
): Promise<void> {
  let words = '';
  const isInForce = await changeEgress(face, name, async ({ egress }) => {
    const [{ readPolicy, writePolicy }, preset] = await Promise.all([import('../../../egress'), egress.preset()]);
    return (text) => {
      if (text === undefined) throw new PixelsError('wrong-state', vscode.l10n.t('{0} may reach everything.', name));
      const policy = change(readPolicy(text), preset);
      words = done(policy, preset);
      return writePolicy(policy);
    };
  });
  if (isInForce !== undefined) void vscode.window.showInformationMessage(doneWords(words, isInForce));
}

/** As the use case of that name, with progress. @returns whether it is in force now; undefined when it was not done. */
export async function changeEgress(
  face: Face,
  name: SandboxName,
  changeOf: (pixels: Pixels) => Promise<(policy: string | undefined) => string>,
): Promise<boolean | undefined> {
  const title = vscode.l10n.t('Changing what {0} may reach', name);
  const outcome = await runAction(face, { title, rows: [name] }, async (pixels, run) =>
    pixels.lifecycle.changeEgress(name, await changeOf(pixels), run),
  );
  return outcome.kind === 'ok' ? outcome.value : undefined;
}

/** "web may reach example.org.", or when. */
export function doneWords(done: string, isInForce: boolean): string {
  return isInForce ? vscode.l10n.t('{0}.', done) : vscode.l10n.t('{0}, from its next start on.', done);
}
