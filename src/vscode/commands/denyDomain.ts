import * as vscode from 'vscode';
import { sentence, toPixelsError } from '../../sandbox/errors';
import type { Face } from '../face';
import { askText } from '../input';
import type { Node } from '../tree/node';
import { changePolicy } from './egress/changePolicy';
import { restrictedSandbox } from './egress/restrictedSandbox';

/** Asks for a domain, an address or a group that a sandbox may not reach any more, also where that is a part of what it may. */
export async function denyDomain(face: Face, node?: Node): Promise<void> {
  const restricted = await restrictedSandbox(face, node, vscode.l10n.t('Deny Domain'));
  if (restricted === undefined) return;
  const { name, policy, preset } = restricted;
  const { denying, formatEntry, parseEntry, writePolicy } = await import('../../egress');
  const before = writePolicy(policy);
  const answer = await askText({
    title: vscode.l10n.t('Deny Domain for {0}', name),
    prompt: vscode.l10n.t('What is only a part of something that stays allowed becomes an exception from it'),
    placeholder: vscode.l10n.t('for example: gist.github.com, =example.org, 10.1.0.0/16'),
    problem: (typed) => {
      try {
        const isNothing = writePolicy(denying(policy, typed, preset)) === before;
        return isNothing ? vscode.l10n.t('{0} may not reach that as it is.', name) : undefined;
      } catch (error) {
        return sentence(toPixelsError(error));
      }
    },
  });
  if (answer.kind !== 'answer') return;
  const typed = answer.value;
  const denied = typed.startsWith('@') ? typed : formatEntry(parseEntry(typed));
  await changePolicy(
    face,
    name,
    (current, groups) => denying(current, typed, groups),
    () => vscode.l10n.t('{0} may not reach {1}', name, denied),
  );
}
