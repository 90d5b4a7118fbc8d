import type * as vscode from 'vscode';
import { sentence } from '../../sandbox/errors';
import type { SandboxName } from '../../sandbox/name';
import type { Lacks } from '../../sandbox/sandbox';
import type { CurrentPixels } from '../currentPixels';
import type { LiveInventory } from '../liveInventory';
import type { RecipeState } from '../recipeState';
import type { BaseRows } from './baseRows';
import type { EgressRows } from './egressRows';
import type { Node } from './node';
import type { NodeStore } from './nodeStore';

/** Where what a row stands for can be looked up. */
interface Places {
  readonly current: CurrentPixels;
  readonly live: LiveInventory;
  readonly nodes: NodeStore;
  readonly bases: BaseRows;
  readonly egress: EgressRows;
  readonly lacks: Lacks;
  readonly recipe: (name: SandboxName) => RecipeState | undefined;
}

/** What is shown for a row that somebody points at; undefined: nothing more. */
export async function tooltipOf(
  node: Node,
  { current, live, nodes, bases, egress, lacks, recipe }: Places,
): Promise<vscode.MarkdownString | string | undefined> {
  const { sandboxTooltip, recipeTooltip, checkpointTooltip } = await import('./tooltip');
  const sandbox = 'sandbox' in node && node.sandbox ? live.value?.sandbox(node.sandbox) : undefined;
  switch (node.kind) {
    case 'sandbox': {
      const itself = live.value?.sandbox(node.name);
      const state = recipe(node.name);
      return itself && current.use((pixels) => sandboxTooltip(pixels, itself, state));
    }
    case 'recipe':
      return sandbox && current.use((pixels) => recipeTooltip(pixels, sandbox));
    case 'checkpoint': {
      const checkpoint = nodes.checkpoint(node);
      return checkpoint && checkpointTooltip(checkpoint, lacks);
    }
    case 'egress':
    case 'refused':
    case 'refusal':
    case 'group':
    case 'domain':
      return egress.tooltip(node);
    case 'bases':
      return undefined;
    case 'base':
      return bases.tooltip(node.name);
    case 'trouble':
      return sentence(nodes.trouble(node));
  }
}
