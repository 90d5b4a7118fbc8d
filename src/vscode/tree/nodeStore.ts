import { toPixelsError, type PixelsError } from '../../sandbox/errors';
import type { SandboxName } from '../../sandbox/name';
import type { Checkpoint } from '../../sandbox/sandbox';
import { nodeId, type CheckpointNode, type Node, type TroubleNode } from './node';

/** One node object per thing, as the editor knows rows by their objects, and what was learned of those that nothing else keeps. */
export class NodeStore {
  private readonly nodes = new Map<string, Node>();
  private readonly checkpoints = new Map<string, Checkpoint>();
  private readonly troubles = new Map<string, PixelsError>();

  /** The object for what this one stands for, which from now on is always the same. */
  keep<T extends Node>(node: T): T {
    const id = nodeId(node);
    const known = this.nodes.get(id);
    if (known !== undefined) return known as T;
    this.nodes.set(id, node);
    return node;
  }

  keepCheckpoint(sandbox: SandboxName, checkpoint: Checkpoint): CheckpointNode {
    const node = this.keep<CheckpointNode>({ kind: 'checkpoint', sandbox, label: checkpoint.label });
    this.checkpoints.set(nodeId(node), checkpoint);
    return node;
  }

  /** As it was when it was last listed. */
  checkpoint(node: CheckpointNode): Checkpoint | undefined {
    return this.checkpoints.get(nodeId(node));
  }

  /** @param sandbox undefined for the server's own. */
  keepTrouble(error: PixelsError, sandbox?: SandboxName): TroubleNode {
    const node = this.keep<TroubleNode>({ kind: 'trouble', ...(sandbox ? { sandbox } : {}) });
    this.troubles.set(nodeId(node), error);
    return node;
  }

  trouble(node: TroubleNode): PixelsError {
    return this.troubles.get(nodeId(node)) ?? toPixelsError('');
  }
}
