import type { EditorServer } from '../sandbox/guest';
import type { Step } from './step';
import script from './recipes/scripts/editor-server.sh';

/**
 * A step that puts an editor's server in ahead of time, so that the first window opens fast. It is left out where it cannot be
 * downloaded: Remote - SSH tries by itself then. Undefined for an editor whose product does not say where its server is.
 */
export function editorServerStep({ commit, quality, dataFolder, updateUrl }: EditorServer): Step | undefined {
  const isPlain = [commit, quality, dataFolder].every((word) => /^[\w.-]+$/.test(word));
  if (!isPlain || !/^https?:\/\/[\w.:[\]/-]+$/.test(updateUrl)) return undefined;
  const address = updateUrl.replace(/\/+$/, '');
  const variables = `commit=${commit} quality=${quality} data=${dataFolder} address=${address}`;
  return {
    id: 'editor-server',
    title: "the editor's server",
    as: 'user',
    needs: [],
    optional: true,
    check: `test -e "$HOME/${dataFolder}/code-${commit}"`,
    sources: [{ title: address, script: `${variables}\n${script}` }],
    timeoutMinutes: 15,
    retries: 0,
  };
}
