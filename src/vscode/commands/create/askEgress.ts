import * as vscode from 'vscode';
import type { Wish } from '../../../app/order';
import type { EgressMode } from '../../../egress';
import type { SandboxName } from '../../../sandbox/name';
import type { Face } from '../../face';
import { modeWords } from '../../egressView';
import { askChoice, type Answer, type Choice, type Position } from '../../input';
import { modeChoices } from '../egress/modeChoices';

export interface EgressQuestion {
  readonly title: string;
  readonly position: Position;
  readonly source: Wish | undefined;
}

/** What nobody has to say: a copy may reach what its source may, and any other what the configuration says. */
export type EgressChoice = EgressMode | 'usual';

/** Asks what a new sandbox may reach; what is usual comes first. */
export function askEgress(face: Face, { title, position, source }: EgressQuestion): Promise<Answer<EgressChoice>> {
  const placeholder = vscode.l10n.t('What may it reach?');
  return askChoice({ title, position, placeholder, choices: egressChoices(face, source?.from?.name) });
}

/** What there is to choose from. @param source the sandbox that is copied, if one is. */
export async function egressChoices(
  { current }: Pick<Face, 'current'>,
  source: SandboxName | undefined,
): Promise<readonly Choice<EgressChoice>[]> {
  if (source !== undefined) {
    const words = await current.use(async (pixels) => modeWords(pixels, (await pixels.host.get(source)).state.egress));
    const label = vscode.l10n.t('as {0}', source);
    return [{ label, description: words, iconPath: new vscode.ThemeIcon('copy'), value: 'usual' }, ...modeChoices()];
  }
  const usual = await current.use(({ config }) => Promise.resolve(config.network.egress));
  const modes = modeChoices(usual, vscode.l10n.t('default'));
  return modes.map((choice) => (choice.value === usual ? { ...choice, value: 'usual' } : choice));
}
