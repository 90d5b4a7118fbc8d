import * as vscode from 'vscode';
import type { SandboxName } from '../../sandbox/name';
import type { Lacks, Sandbox } from '../../sandbox/sandbox';
import { failureWords, installingWords, type RecipeState } from '../recipeState';
import { lackTags } from './lacks';
import { recipeTag } from './recipeRow';
import type { Row } from './row';
import { rowStatus, STATUS, statusWords } from './status';

/**
 * A sandbox's row.
 * @param sandbox undefined while it is being made and the server does not list it yet.
 * @param activity what this window is doing to it.
 * @param lacks what its server cannot do, which menus then do not offer.
 */
export function sandboxRow(
  name: SandboxName,
  sandbox: Sandbox | undefined,
  activity: string | undefined,
  lacks: Lacks,
  recipe?: RecipeState,
): Row {
  const hasPolicy = sandbox?.state.egress !== undefined;
  const hasChildren = (sandbox?.checkpointCount ?? 0) > 0 || recipe !== undefined || hasPolicy;
  const expandable = hasChildren ? 'collapsed' : 'no';
  if (sandbox === undefined || activity !== undefined) {
    const tags = ['sandbox', 'working', ...(sandbox === undefined ? [] : [sandbox.status])];
    return { label: name, description: activity ?? '', icon: STATUS.working.icon, tags, expandable };
  }
  const status = rowStatus(sandbox);
  const words = statusWords(sandbox);
  const address = status === 'running' ? addressWords(sandbox) : undefined;
  const recipeWords = status === sandbox.status && recipe !== undefined ? wordsOf(recipe) : undefined;
  const { icon } = STATUS[status];
  const row = {
    label: name,
    tags: [
      'sandbox',
      ...new Set([sandbox.status, status]),
      ...(recipe === undefined ? [] : [recipeTag(recipe)]),
      ...(hasPolicy ? ['egress'] : []),
      ...lackTags(lacks),
    ],
    expandable,
    spoken: [name, words, address, recipeWords].filter((part) => part !== undefined).join(', '),
  } as const;
  if (recipeWords === undefined) return { ...row, description: address ?? words, icon };
  // It can be used meanwhile: only a failure changes the icon, and only its colour.
  if (recipe?.outcome === 'installing') return { ...row, description: recipeWords, icon };
  const color = 'list.warningForeground';
  return { ...row, description: `${recipeWords} · ${address ?? words}`, icon: { ...icon, color } };
}

/** Undefined while it has none. */
function addressWords({ addresses, isBehindGateway }: Sandbox): string | undefined {
  return isBehindGateway ? vscode.l10n.t('behind a gateway') : addresses[0];
}

function wordsOf(recipe: RecipeState): string | undefined {
  if (recipe.outcome === 'installing') return installingWords(recipe);
  return recipe.outcome === 'failed' ? failureWords(recipe) : undefined;
}
