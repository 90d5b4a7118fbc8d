import * as vscode from 'vscode';
import type { SandboxStatus } from '../../sandbox/sandbox';
import { failureWords, tryWords, type RecipeState } from '../recipeState';
import type { Row } from './row';

/** The row of a sandbox's recipe. While it is carried out, it says more about the step than the sandbox's own row. */
export function recipeRow(recipe: RecipeState, status: SandboxStatus): Row {
  const name = vscode.l10n.t('Recipe {0}', recipe.name);
  const row = { tags: ['recipe', status, recipeTag(recipe)], expandable: 'no' } as const;
  switch (recipe.outcome) {
    case 'installing': {
      const icon = { id: 'loading~spin' };
      const { step, stepCount } = recipe;
      if (step === undefined) return { ...row, label: name, description: vscode.l10n.t('waiting to begin'), icon };
      const facts = [
        vscode.l10n.t('{0} of {1}', step.number, stepCount),
        ...(step.source ? [vscode.l10n.t('from {0}', step.source)] : []),
        ...(step.retries === 0 ? [] : [tryWords(step.retries)]),
      ];
      return { ...row, label: vscode.l10n.t('Installing {0}', step.title), description: facts.join(' · '), icon };
    }
    case 'interrupted':
      return {
        ...row,
        label: name,
        description: vscode.l10n.t('goes on when it is started'),
        icon: { id: 'debug-pause' },
      };
    case 'done':
      return {
        ...row,
        label: name,
        description: vscode.l10n.t('complete'),
        icon: { id: 'check', color: 'charts.green' },
      };
    case 'failed':
      return {
        ...row,
        label: recipe.failed === undefined ? vscode.l10n.t('{0} failed', name) : failureWords(recipe),
        description: recipe.failed === undefined ? '' : vscode.l10n.t('recipe {0}', recipe.name),
        icon: { id: 'error', color: 'list.errorForeground' },
      };
  }
}

/** What menus match, on the recipe's row and on its sandbox's. */
export function recipeTag({ outcome }: RecipeState): string {
  switch (outcome) {
    case 'installing':
    case 'interrupted':
      return 'provisioning';
    case 'done':
      return 'provisioned';
    case 'failed':
      return 'provision-failed';
  }
}
