import * as vscode from 'vscode';
import { isSafetyLabel } from '../../sandbox/name';
import type { Checkpoint, Lacks } from '../../sandbox/sandbox';
import { age, size } from './format';
import { lackTags } from './lacks';
import type { Row } from './row';

/** A checkpoint's row. The one that a restore keeps of the state before is called what it is. */
export function checkpointRow({ label, createdAt, sizeBytes }: Checkpoint, lacks: Lacks): Row {
  const facts = [age(createdAt), ...(sizeBytes === undefined ? [] : [size(sizeBytes)])];
  const safety = isSafetyLabel(label);
  return {
    label: safety ? vscode.l10n.t('before the last restore') : label,
    description: facts.join(' · '),
    icon: safety ? { id: 'history' } : { id: 'bookmark' },
    tags: ['checkpoint', ...(safety ? ['safety'] : []), ...lackTags(lacks)],
    expandable: 'no',
  };
}
