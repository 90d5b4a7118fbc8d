import type { BaseName } from '../../sandbox/base';
import type { CheckpointLabel, SandboxName } from '../../sandbox/name';

/** What a row stands for. Commands get these from the tree; all else is looked up when it is needed. */
export type Node =
  | SandboxNode
  | RecipeNode
  | EgressNode
  | RefusedNode
  | RefusalNode
  | GroupNode
  | DomainNode
  | CheckpointNode
  | BasesNode
  | BaseNode
  | TroubleNode;

export interface SandboxNode {
  readonly kind: 'sandbox';
  readonly name: SandboxName;
}

/** What is put into a sandbox, or was. */
export interface RecipeNode {
  readonly kind: 'recipe';
  readonly sandbox: SandboxName;
}

/** Above all that a sandbox may reach. */
export interface EgressNode {
  readonly kind: 'egress';
  readonly sandbox: SandboxName;
}

/** Above all that a sandbox wanted to reach and could not. */
export interface RefusedNode {
  readonly kind: 'refused';
  readonly sandbox: SandboxName;
}

/** Something that it could not reach. */
export interface RefusalNode {
  readonly kind: 'refusal';
  readonly sandbox: SandboxName;
  /** Tells it from the others of its sandbox. */
  readonly key: string;
}

/** A group of the preset of the mode `agent`. */
export interface GroupNode {
  readonly kind: 'group';
  readonly sandbox: SandboxName;
  readonly id: string;
}

/** An entry of the person's own list, or an exception from what is allowed. */
export interface DomainNode {
  readonly kind: 'domain';
  readonly sandbox: SandboxName;
  /** As the egress room writes it: `=example.org:443`, `10.0.0.0/8`. */
  readonly entry: string;
  readonly denied: boolean;
}

/** Above all bases. */
export interface BasesNode {
  readonly kind: 'bases';
}

export interface BaseNode {
  readonly kind: 'base';
  readonly name: BaseName;
}

export interface CheckpointNode {
  readonly kind: 'checkpoint';
  readonly sandbox: SandboxName;
  readonly label: CheckpointLabel;
}

/** The server, or the checkpoints of one sandbox, cannot be shown. */
export interface TroubleNode {
  readonly kind: 'trouble';
  readonly sandbox?: SandboxName;
}

/** One that can have rows below it. */
export type ParentNode = SandboxNode | EgressNode | RefusedNode | BasesNode;

const PARENTS: readonly Node['kind'][] = ['sandbox', 'egress', 'refused', 'bases'];

/** Whether it is one of those. */
export function isParent(node: Node): node is ParentNode {
  return PARENTS.includes(node.kind);
}

/** Stays the same for as long as the thing exists, so that the editor remembers what is expanded and selected. */
export function nodeId(node: Node): string {
  switch (node.kind) {
    case 'sandbox':
      return `sandbox/${node.name}`;
    case 'recipe':
      return `recipe/${node.sandbox}`;
    case 'egress':
      return `egress/${node.sandbox}`;
    case 'refused':
      return `refused/${node.sandbox}`;
    case 'refusal':
      return `refusal/${node.sandbox}/${node.key}`;
    case 'group':
      return `group/${node.sandbox}/${node.id}`;
    case 'domain':
      return `${node.denied ? 'denied' : 'allowed'}/${node.sandbox}/${node.entry}`;
    case 'checkpoint':
      return `checkpoint/${node.sandbox}/${node.label}`;
    case 'bases':
      return 'bases';
    case 'base':
      return `base/${node.name}`;
    case 'trouble':
      return `trouble/${node.sandbox ?? ''}`;
  }
}
