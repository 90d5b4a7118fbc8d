import * as vscode from 'vscode';
import type { RemovalPlan } from '../../ssh';
import { decide } from '../decisions';
import type { Face } from '../face';
import { askAboutChange, shownPath } from '../remote/diff';
import { removeRemotePlatform } from '../remote/remotePlatform';

/** Takes the Include line, ~/.ssh/pixels and the platform setting away again, after showing what changes. */
export async function removeSshIntegration(face: Face): Promise<void> {
  const { ssh } = await face.current.use(({ ssh }) => Promise.resolve({ ssh }));
  const plan = await ssh.planRemoval();
  const remove = vscode.l10n.t('Remove');
  const answer = await askAboutChange(plan.kind === 'remove' ? plan : undefined, {
    text: vscode.l10n.t('Remove the SSH integration?'),
    detail: vscode.l10n.t(
      '{0} is deleted, with the key in it. {1} Sandboxes stay as they are. It comes back when you open a window in one.',
      shownPath(ssh.paths.directory),
      aboutLine(plan),
    ),
    buttons: [remove],
  });
  if (answer !== remove) return;
  await decide(face.memory, 'ssh.files', 'removed');
  await decide(face.memory, 'ssh.include', undefined);
  await ssh.applyRemoval(plan);
  await removeRemotePlatform();
  void vscode.window.showInformationMessage(vscode.l10n.t('The SSH integration is removed.'));
}

function aboutLine(plan: RemovalPlan): string {
  switch (plan.kind) {
    case 'remove':
      return vscode.l10n.t('Its line is taken out of {0}.', shownPath(plan.path));
    case 'read-only':
      return vscode.l10n.t(
        '{0} is read-only: the line "{1}" stays there and does no harm.',
        shownPath(plan.path),
        plan.line,
      );
    case 'absent':
      return vscode.l10n.t('{0} does not change.', shownPath(plan.path));
  }
}
