import type { Lacks } from '../../sandbox/sandbox';

/** Tags of a row whose server takes no checkpoints: menus then do not offer what would only be refused. */
export function lackTags({ checkpoints }: Lacks): readonly string[] {
  return checkpoints === undefined ? [] : ['no-checkpoints'];
}
