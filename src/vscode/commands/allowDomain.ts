import * as vscode from 'vscode';
import { sentence, toPixelsError } from '../../sandbox/errors';
import type { Face } from '../face';
import { askText } from '../input';
import type { Node } from '../tree/node';
import { changePolicy } from './egress/changePolicy';
import { restrictedSandbox, type Restricted } from './egress/restrictedSandbox';

/** Asks for a domain, an address or a group that a sandbox may reach too; says while it is typed what is wrong with it. */
export async function allowDomain(face: Face, node?: Node): Promise<void> {
  const restricted = await restrictedSandbox(face, node, vscode.l10n.t('Allow Domain'));
  if (restricted === undefined) return;
  const { name } = restricted;
  const { allowing, formatEntry, parseEntry } = await import('../../egress');
  const problem = await problemWith(restricted);
  const answer = await askText({
    title: vscode.l10n.t('Allow Domain for {0}', name),
    prompt: vscode.l10n.t(
      'A domain with all below it, only one name (=example.org), or addresses; a port follows a colon',
    ),
    placeholder: vscode.l10n.t('for example: example.org, =example.org:443, 10.0.0.0/8'),
    problem,
  });
  if (answer.kind !== 'answer') return;
  const typed = answer.value;
  const allowed = typed.startsWith('@') ? typed : formatEntry(parseEntry(typed));
  await changePolicy(
    face,
    name,
    (policy, preset) => allowing(policy, typed, preset),
    () => vscode.l10n.t('{0} may reach {1}', name, allowed),
  );
}

/** What is wrong with a typed entry for this sandbox, in a sentence or two; undefined when it is right. */
export async function problemWith({
  name,
  policy,
  preset,
}: Restricted): Promise<(typed: string) => string | undefined> {
  const { allowing, writePolicy } = await import('../../egress');
  const before = writePolicy(policy);
  return (typed) => {
    try {
      const isThere = writePolicy(allowing(policy, typed, preset)) === before;
      return isThere ? vscode.l10n.t('{0} may reach that already.', name) : undefined;
    } catch (error) {
      return sentence(toPixelsError(error));
    }
  };
}
