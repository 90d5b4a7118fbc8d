import * as vscode from 'vscode';
import type { SandboxHost } from '../../sandbox/host';
import { clonesFirst, refuseWithClones } from '../../sandbox/linkedClones';
import { isSafetyLabel } from '../../sandbox/name';
import type { Sandbox } from '../../sandbox/sandbox';
import { runAction } from '../action';
import type { Face } from '../face';
import { severalSandboxes } from '../targets';
import type { Node } from '../tree/node';
import { namesOf, toEach } from './selection';

/** Destroys the chosen sandboxes, after saying what will be lost. */
export async function destroySandboxes(face: Face, node?: Node, selected?: readonly Node[]): Promise<void> {
  const chosen = await severalSandboxes(face, node, selected, { title: vscode.l10n.t('Destroy') });
  if (chosen.length === 0) return;
  const except = chosen.map(({ name }) => name);
  const losses = await face.current.use(({ host }) =>
    Promise.all(
      chosen.map(async (sandbox) => {
        const clones = await refuseWithClones(host, { name: sandbox.name, except });
        return { name: sandbox.name, clones, text: await lossOf(host, sandbox) };
      }),
    ),
  );
  const question =
    chosen.length === 1
      ? vscode.l10n.t('Destroy {0}?', namesOf(chosen))
      : vscode.l10n.t('Destroy {0} sandboxes?', chosen.length);
  const lost =
    chosen.length === 1 ? losses.map(({ text }) => text) : losses.map(({ name, text }) => `${name}: ${text}`);
  const detail = [...lost, vscode.l10n.t('This cannot be undone.')].join('\n');
  const destroy = vscode.l10n.t('Destroy');
  if ((await vscode.window.showWarningMessage(question, { modal: true, detail }, destroy)) !== destroy) return;
  const title = vscode.l10n.t('Destroying {0}', namesOf(chosen));
  await runAction(face, { title, rows: except }, async ({ lifecycle }, _, runFor) => {
    for (const group of clonesFirst(losses, ({ clones }) => clones)) {
      await toEach(group, ({ name }) => lifecycle.destroy(name, runFor(name)));
    }
  });
}

async function lossOf(host: SandboxHost, { name, checkpointCount }: Sandbox): Promise<string> {
  const all = checkpointCount === 0 ? [] : (await host.checkpoints(name)).map(({ label }) => label);
  const labels = all.filter((label) => !isSafetyLabel(label));
  if (labels.length > 1) {
    return vscode.l10n.t('Its files and its {0} checkpoints are lost ({1}).', labels.length, labels.join(', '));
  }
  const [label] = labels;
  if (label !== undefined) return vscode.l10n.t('Its files and its checkpoint {0} are lost.', label);
  return vscode.l10n.t('Its files are lost. It has no checkpoints.');
}
