import * as vscode from 'vscode';
import { usualBase, type Wish } from '../../../app/order';
import type { Pixels } from '../../../app/pixels';
import { sandboxesIn, type BaseName } from '../../../sandbox/base';
import type { Base } from '../../../sandbox/bases';
import { sentence, toPixelsError, type PixelsError } from '../../../sandbox/errors';
import type { CheckpointLabel } from '../../../sandbox/name';
import type { HostInfo, LocalImage, Sandbox } from '../../../sandbox/sandbox';
import { showError } from '../../errorMessage';
import type { Face } from '../../face';
import { askChoice, askText, type Answer, type Choice, type Position } from '../../input';
import { checkpointChoice, sandboxChoice } from '../../targets';
import { size } from '../../tree/format';

interface SourceQuestion {
  readonly title: string;
  readonly position: Position;
}

type FirstChoice =
  | { readonly base: BaseName }
  | { readonly problem: PixelsError }
  | { readonly image: string }
  | { readonly sandbox: Sandbox }
  | 'other image';

/** Asks what a new sandbox is made of: a base, an image, a sandbox, or, where the server has such, one of its checkpoints. */
export async function askSource(face: Face, info: HostInfo, question: SourceQuestion): Promise<Answer<Wish>> {
  for (;;) {
    const first = await askChoice<FirstChoice>({
      ...question,
      placeholder: vscode.l10n.t('What is it made of?'),
      choices: face.current.use((pixels) => firstChoices(pixels, info)),
    });
    if (first.kind !== 'answer') return first;
    const { value } = first;
    if (value !== 'other image' && 'problem' in value) {
      void showError(face, value.problem);
      return { kind: 'dismissed' };
    }
    const answer =
      value === 'other image'
        ? await askImage(question)
        : 'sandbox' in value
          ? await askState(face, question, value.sandbox)
          : ({ kind: 'answer', value } as const);
    // Back from the second box leads to the first one.
    if (answer.kind !== 'back') return answer;
  }
}

async function firstChoices(pixels: Pixels, { lacks }: HostInfo): Promise<readonly Choice<FirstChoice>[]> {
  const { config, host } = pixels;
  const [images, sandboxes, bases] = await Promise.all([host.images(), host.list(), baseChoices(pixels)]);
  const usual = config.defaults.image;
  const isUsual = ({ alias }: LocalImage) => alias === usual;
  const first: Choice<FirstChoice> = {
    label: usual,
    description: usualImageDescription(images.some(isUsual), bases.length === 0),
    iconPath: new vscode.ThemeIcon('package'),
    value: { image: usual },
  };
  const others = images
    .filter((image) => !isUsual(image))
    .map((image): Choice<FirstChoice> => ({
      label: image.alias,
      description: imageDescription(image),
      iconPath: new vscode.ThemeIcon('package'),
      value: { image: image.alias },
    }));
  const other: Choice<FirstChoice> = {
    label: vscode.l10n.t('Other image…'),
    iconPath: new vscode.ThemeIcon('cloud-download'),
    value: 'other image',
  };
  const copies = sandboxesIn(sandboxes)
    .filter(({ mark }) => mark === undefined)
    .map((sandbox) => (lacks.checkpoints === undefined ? sandbox : { ...sandbox, checkpointCount: 0 }))
    .map((sandbox): Choice<FirstChoice> => ({
      ...sandboxChoice(sandbox),
      description:
        sandbox.checkpointCount === 0
          ? vscode.l10n.t('a copy')
          : vscode.l10n.t('a copy, or from one of its {0} checkpoints', sandbox.checkpointCount),
      value: { sandbox },
    }));
  return [
    ...(bases.length > 0 ? [separator(vscode.l10n.t('bases'))] : []),
    ...bases,
    separator(vscode.l10n.t('images')),
    first,
    ...others,
    other,
    ...(copies.length > 0 ? [separator(vscode.l10n.t('sandboxes'))] : []),
    ...copies,
  ];
}

/** The usual one first. None where sandboxes get no recipe; what is wrong where one of the person's recipes cannot be read. */
async function baseChoices(pixels: Pixels): Promise<readonly Choice<FirstChoice>[]> {
  const usual = usualBase(pixels);
  if (usual === undefined) return [];
  let known: readonly Base[];
  try {
    known = await pixels.bases.list();
  } catch (error) {
    const problem = toPixelsError(error);
    const label = vscode.l10n.t('They cannot be listed');
    return [{ label, detail: sentence(problem), iconPath: new vscode.ThemeIcon('warning'), value: { problem } }];
  }
  const all = known.filter(({ definition }) => definition !== undefined);
  const usualFirst = [...all.filter(({ name }) => name === usual), ...all.filter(({ name }) => name !== usual)];
  return usualFirst.map((base) => ({
    label: base.name,
    description: baseDescription(base, base.name === usual),
    detail: base.definition?.description ?? '',
    iconPath: new vscode.ThemeIcon('layers'),
    value: { base: base.name },
  }));
}

function baseDescription({ status }: Base, isUsual: boolean): string {
  const when = status === 'ready' ? vscode.l10n.t('complete at once') : vscode.l10n.t('installed in the background');
  return isUsual ? `${vscode.l10n.t('default')} · ${when}` : when;
}

function usualImageDescription(isThere: boolean, isUsual: boolean): string {
  if (isUsual) return isThere ? vscode.l10n.t('default') : vscode.l10n.t('default, downloaded first');
  return isThere ? '' : vscode.l10n.t('downloaded first');
}

function imageDescription({ description, sizeBytes }: LocalImage): string {
  const parts = [description, sizeBytes === undefined ? '' : size(sizeBytes)];
  return parts.filter((part) => part !== '').join(' · ');
}

async function askImage(question: SourceQuestion): Promise<Answer<Wish>> {
  const answer = await askText({
    ...question,
    prompt: vscode.l10n.t('Image, as the image server names it'),
    placeholder: vscode.l10n.t('for example: ubuntu/24.04, images:fedora/42'),
    problem: (text) => (/^\S+$/.test(text) ? undefined : vscode.l10n.t('An image needs a name without blanks.')),
  });
  return answer.kind === 'answer' ? { kind: 'answer', value: { image: answer.value } } : answer;
}

/** As the sandbox is now, or as it was at one of its checkpoints. */
async function askState(
  face: Face,
  question: SourceQuestion,
  { name, checkpointCount }: Sandbox,
): Promise<Answer<Wish>> {
  if (checkpointCount === 0) return { kind: 'answer', value: { from: { name } } };
  const now: Choice<CheckpointLabel | 'now'> = {
    label: vscode.l10n.t('as it is now'),
    iconPath: new vscode.ThemeIcon('vm'),
    value: 'now',
  };
  const newestFirst = face.current.use(async ({ host }) => [...(await host.checkpoints(name))].reverse());
  const answer = await askChoice<CheckpointLabel | 'now'>({
    ...question,
    placeholder: vscode.l10n.t('Which state of {0}?', name),
    choices: newestFirst.then((checkpoints) => [
      now,
      ...checkpoints.map((checkpoint) => ({ ...checkpointChoice(checkpoint), value: checkpoint.label })),
    ]),
  });
  if (answer.kind !== 'answer') return answer;
  const label = answer.value === 'now' ? undefined : answer.value;
  return { kind: 'answer', value: { from: { name, label } } };
}

function separator(label: string): Choice<FirstChoice> {
  return { label, kind: vscode.QuickPickItemKind.Separator };
}
