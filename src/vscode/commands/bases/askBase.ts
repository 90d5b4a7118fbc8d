import * as vscode from 'vscode';
import type { BaseName } from '../../../sandbox/base';
import type { Base } from '../../../sandbox/bases';
import type { Face } from '../../face';
import { askChoice, type Choice } from '../../input';
import { baseStatusWords } from '../../tree/baseRow';
import type { Node } from '../../tree/node';

export interface BaseQuestion {
  readonly title: string;
  /** Those it can be done to. */
  readonly suits: (base: Base) => boolean;
  /** Said when there is none. */
  readonly none: string;
}

/**
 * The base of the row, or the one that a person picks. Undefined when they pick none, or there is none.
 * @throws PixelsError as `Bases.list`.
 */
export async function askBase(
  face: Face,
  node: Node | undefined,
  { title, suits, none }: BaseQuestion,
): Promise<BaseName | undefined> {
  if (node?.kind === 'base') return node.name;
  const all = await face.current.use(({ bases }) => bases.list());
  const suitable = all.filter(suits);
  if (suitable.length === 0) {
    void vscode.window.showInformationMessage(none);
    return undefined;
  }
  const choices = Promise.resolve(suitable.map(baseChoice));
  const answer = await askChoice<BaseName>({ title, placeholder: vscode.l10n.t('Which base?'), choices });
  return answer.kind === 'answer' ? answer.value : undefined;
}

function baseChoice({ name, status, definition, record }: Base): Choice<BaseName> {
  return {
    label: name,
    description: baseStatusWords(status, record),
    detail: definition?.description ?? vscode.l10n.t('not defined any more'),
    iconPath: new vscode.ThemeIcon('layers'),
    value: name,
  };
}
