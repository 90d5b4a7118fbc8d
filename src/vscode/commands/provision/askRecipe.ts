import * as vscode from 'vscode';
import { toPixelsError } from '../../../sandbox/errors';
import { readProvisionRecord } from '../../../sandbox/provisioning';
import type { Face } from '../../face';
import { askChoice, type Choice } from '../../input';

/** No recipe has this name. */
const FILE = '';

/**
 * Asks for a recipe: one that comes with Pixels, one of the person's own, or a file.
 * @param record what was put into the sandbox before, as it is kept with it.
 * @returns its id or its file's path; undefined when a person chose none.
 */
export async function askRecipe(face: Face, title: string, record: string | undefined): Promise<string | undefined> {
  const before = readProvisionRecord(record)?.recipe;
  const answer = await askChoice<string>({
    title,
    placeholder: vscode.l10n.t('Which recipe? What is there already is skipped.'),
    choices: recipeChoices(face, before),
  });
  if (answer.kind !== 'answer') return undefined;
  return answer.value === FILE ? askFile(title) : answer.value;
}

async function recipeChoices({ current }: Face, before: string | undefined): Promise<readonly Choice<string>[]> {
  const { findRecipe, recipeIds } = await import('../../../provision/recipes');
  const places = await current.use(({ recipePlaces }) => Promise.resolve(recipePlaces));
  const ids = await recipeIds(places);
  const known = before === undefined || ids.includes(before) ? ids : [before, ...ids];
  const choices = known.map(async (id): Promise<Choice<string>> => {
    const iconPath = new vscode.ThemeIcon(id === before ? 'history' : 'checklist');
    try {
      const { title, description } = await findRecipe(id, places);
      return { label: id, description: title, detail: description, iconPath, value: id };
    } catch (error) {
      return { label: id, description: toPixelsError(error).message, iconPath: new vscode.ThemeIcon('error') };
    }
  });
  const file = { label: vscode.l10n.t('Recipe File…'), iconPath: new vscode.ThemeIcon('file'), value: FILE };
  return [...(await Promise.all(choices)), file];
}

async function askFile(title: string): Promise<string | undefined> {
  const filters = { [vscode.l10n.t('Recipes')]: ['toml'] };
  const [file] = (await vscode.window.showOpenDialog({ title, filters })) ?? [];
  return file?.fsPath;
}
