import * as vscode from 'vscode';
import type { Policy } from '../../egress';
import type { Face } from '../face';
import { askChoice, type Choice } from '../input';
import type { DomainNode, Node } from '../tree/node';
import { domainRow } from '../tree/egressRow';
import { changePolicy } from './egress/changePolicy';
import { restrictedSandbox } from './egress/restrictedSandbox';

/** Takes entries off the list of what a sandbox may reach, or exceptions from it: those of the rows, or one that a person picks. */
export async function removeDomain(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const nodes = node?.kind === 'domain' ? selectedWith(node, selected) : await askDomain(face, node);
  const [first] = nodes;
  if (first === undefined) return;
  const name = first.sandbox;
  const { allowed, covers, formatEntry, parseEntry } = await import('../../egress');
  const without = (list: Policy['allow'], denied: boolean): Policy['allow'] => {
    const gone = new Set(nodes.filter((each) => each.denied === denied).map(({ entry }) => entry));
    return list.filter((entry) => !gone.has(formatEntry(entry)));
  };
  await changePolicy(
    face,
    name,
    (policy) => {
      const left = new Set(
        without(
          policy.timed.map(({ entry }) => entry),
          false,
        ),
      );
      const timed = policy.timed.filter(({ entry }) => left.has(entry));
      return { ...policy, allow: without(policy.allow, false), deny: without(policy.deny, true), timed };
    },
    (policy, preset) => {
      const { entry, denied } = first;
      if (nodes.length > 1) return vscode.l10n.t('{0} entries are off the list of {1}', nodes.length, name);
      if (denied) return vscode.l10n.t('{0} is not denied to {1} any more', entry, name);
      const isLeft = allowed(policy, preset).some((other) => covers(other, parseEntry(entry)));
      return isLeft
        ? vscode.l10n.t('{0} is off the list of {1}, which reaches it by a group or another entry', entry, name)
        : vscode.l10n.t('{0} may not reach {1} any more', name, entry);
    },
  );
}

/** All selected entries of the same sandbox. */
function selectedWith(node: DomainNode, selected: readonly Node[] = []): readonly DomainNode[] {
  const isAlike = (each: Node): each is DomainNode => each.kind === 'domain' && each.sandbox === node.sandbox;
  return selected.includes(node) ? selected.filter(isAlike) : [node];
}

async function askDomain(face: Face, node: Node | undefined): Promise<readonly DomainNode[]> {
  const restricted = await restrictedSandbox(face, node, vscode.l10n.t('Remove Domain'));
  if (restricted === undefined) return [];
  const { name, policy } = restricted;
  const { formatEntry } = await import('../../egress');
  const choice = (entry: Policy['allow'][number], denied: boolean): Choice<DomainNode> => {
    const text = formatEntry(entry);
    const { label, description, icon } = domainRow(text, denied);
    const iconPath = new vscode.ThemeIcon(icon.id);
    return { label, description, iconPath, value: { kind: 'domain', sandbox: name, entry: text, denied } };
  };
  const choices = [
    ...policy.allow.map((entry) => choice(entry, false)),
    ...policy.timed.map(({ entry }) => choice(entry, false)),
    ...policy.deny.map((entry) => choice(entry, true)),
  ];
  if (choices.length === 0) {
    void vscode.window.showInformationMessage(vscode.l10n.t('The list of {0} is empty.', name));
    return [];
  }
  const answer = await askChoice<DomainNode>({
    title: vscode.l10n.t('Remove Domain of {0}', name),
    placeholder: vscode.l10n.t('Which entry?'),
    choices: Promise.resolve(choices),
  });
  return answer.kind === 'answer' ? [answer.value] : [];
}
