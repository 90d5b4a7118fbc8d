import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import {
  baseOf,
  basesIn,
  instanceOfBase,
  readBaseRecord,
  READY,
  statusOfBase,
  type BaseCatalog,
  type BaseDefinition,
  type BaseName,
  type BaseRecord,
  type BaseStatus,
} from './base';
import { buildBase, recipeFailed, type BuildContext } from './buildBase';
import { isKind, PixelsError } from './errors';
import type { Run } from './host';
import { lacking, requireCapability } from './lacks';
import type { Source } from './lifecycle';
import { removeBase } from './removeBase';
import type { Sandbox } from './sandbox';

/** A base as it stands. */
export interface Base {
  readonly name: BaseName;
  readonly status: BaseStatus;
  /** Undefined: it is on the server, but nobody defines it any more. */
  readonly definition: BaseDefinition | undefined;
  /** Undefined while it has not been built. */
  readonly record: BaseRecord | undefined;
  readonly sandbox: Sandbox | undefined;
}

/** What a new sandbox is best made of now, to be what a base is. */
export interface BestSource {
  readonly source: Source;
  /** What is still to be put in; undefined: nothing. */
  readonly recipe: string | undefined;
  /** Building the base now would make the next one ready in seconds. */
  readonly worthBuilding: boolean;
}

export interface BasesOptions extends BuildContext {
  readonly catalog: BaseCatalog;
}

/** How often somebody who waits for another process's build looks whether it has ended. */
const LOOK_MS = 500;
const MOST_FAILURES = 20;
/** Who was first this often, and left no base each time, is none of us: another project's instance has the name, for one. */
const MOST_LOSSES = 3;
/** A recipe that failed is not tried again by itself before that: what was in its way may have gone. */
const FAILED_FOR_MS = 60 * 60_000;

/**
 * The use cases around bases. A build is marked until it is done. What a killed one has left is removed by whoever comes next: a
 * build of the same base, or a list of all.
 */
export class Bases {
  readonly catalog: BaseCatalog;

  constructor(private readonly options: BasesOptions) {
    this.catalog = options.catalog;
  }

  /** All that are defined and all that the server has, sorted by name. Removes what killed builds have left. */
  async list(signal?: AbortSignal): Promise<readonly Base[]> {
    const { host } = this.options;
    const [definitions, all] = await Promise.all([this.catalog.all(), host.list(signal)]);
    const found = new Map(basesIn(all).map((sandbox) => [baseOf(sandbox.name), sandbox]));
    for (const [name, sandbox] of found) {
      if (statusOfBase(sandbox) !== 'interrupted') continue;
      // Somebody else may have come first. What stays is shown.
      await removeBase(host, sandbox, { signal }).then(() => found.delete(name), refuseCancelled);
    }
    const defined = new Map(definitions.map((definition) => [definition.name, definition]));
    const names = [...new Set([...defined.keys(), ...found.keys()])].filter((name) => name !== undefined).sort();
    return Promise.all(names.map((name) => this.baseFrom(name, defined.get(name), found.get(name), signal)));
  }

  /**
   * The base itself where it is up to date; otherwise the next of its parents that is, or the image, and its recipe.
   * @throws PixelsError `not-found`, `config`.
   */
  async bestSource(name: BaseName, signal?: AbortSignal): Promise<BestSource> {
    const definition = await this.catalog.find(name);
    const own = await this.look(definition, signal);
    if (own.status === 'ready') return { source: cloneOf(definition), recipe: undefined, worthBuilding: false };
    const { recipe } = definition;
    const { host, placement } = this.options;
    const worthBuilding = isWorthBuilding(own) && lacking(await host.info(signal), 'checkpoints') === undefined;
    for (let { parent } = definition; parent !== undefined;) {
      const ancestor = await this.catalog.find(parent);
      const { status } = await this.look(ancestor, signal);
      if (status === 'ready') return { source: cloneOf(ancestor), recipe, worthBuilding };
      ({ parent } = ancestor);
    }
    return { source: { image: definition.image, placement }, recipe, worthBuilding };
  }

  /**
   * Builds a base, its parents first, where it is missing or stale; with `again` also where it is not. While another process
   * builds it, that one is waited for, and its base is as good.
   * @returns false when there was nothing to do.
   * @throws PixelsError `not-found`, `config`, `failed`, `exists` when something else has its name; `unsupported`.
   */
  async build(name: BaseName, { again = false }: { readonly again?: boolean } = {}, run: Run = {}): Promise<boolean> {
    const definition = await this.catalog.find(name);
    for (let waited = false, losses = 0; ;) {
      const { status, sandbox, record } = await this.look(definition, run.signal);
      if (status === 'building' || status === 'deleting') {
        waited = status === 'building';
        await this.waitForOther(definition, run);
        continue;
      }
      if (status === 'ready' && (waited || !again)) return waited;
      if (status === 'failed' && waited) throw recipeFailed(name, record?.failed);
      requireCapability(await this.options.host.info(run.signal), 'checkpoints');
      if (definition.parent !== undefined) await this.build(definition.parent, {}, run);
      try {
        if (sandbox !== undefined) await removeBase(this.options.host, sandbox, run);
        await buildBase(this.options, definition, await this.hashOf(definition, run.signal), run);
        return true;
      } catch (error) {
        // Somebody else was first: theirs is as good.
        if (!isKind(error, 'exists', 'busy') || !(await this.isTakenOver(name, error.kind, run))) throw error;
        if (++losses === MOST_LOSSES) throw error;
      }
    }
  }

  /** Sandboxes that were cloned from it, and bases, stay. @throws PixelsError `not-found`, `busy` while it is being built. */
  async delete(name: BaseName, run: Run = {}): Promise<void> {
    const sandbox = await this.find(name, run.signal);
    if (sandbox === undefined) throw new PixelsError('not-found', `The base ${name} has not been built.`);
    await removeBase(this.options.host, sandbox, run);
  }

  /**
   * Of all that this base would be made of now: one whose record has another hash is stale. Undefined where nobody defines it, or
   * its definition cannot be used.
   */
  async hashNow(name: BaseName, signal?: AbortSignal): Promise<string | undefined> {
    try {
      return await this.hashOf(await this.catalog.find(name), signal);
    } catch (error) {
      if (isKind(error, 'not-found', 'config')) return undefined;
      throw error;
    }
  }

  private async look(definition: BaseDefinition, signal?: AbortSignal): Promise<Base> {
    const sandbox = await this.find(definition.name, signal);
    return this.baseFrom(definition.name, definition, sandbox, signal);
  }

  private async baseFrom(
    name: BaseName,
    definition: BaseDefinition | undefined,
    sandbox: Sandbox | undefined,
    signal?: AbortSignal,
  ): Promise<Base> {
    const hash = definition && sandbox ? await this.hashOf(definition, signal) : undefined;
    const record = readBaseRecord(sandbox?.state.base);
    return { name, definition, sandbox, record, status: statusOfBase(sandbox, hash) };
  }

  private async find(name: BaseName, signal?: AbortSignal): Promise<Sandbox | undefined> {
    try {
      return await this.options.host.get(instanceOfBase(name), signal);
    } catch (error) {
      if (isKind(error, 'not-found')) return undefined;
      throw error;
    }
  }

  /** Incus 6.0 cannot always tell of an instance that is starting at this moment ("Invalid PID"): it is asked again for a while. */
  private async findStarting(name: BaseName, signal?: AbortSignal): Promise<Sandbox | undefined> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.find(name, signal);
      } catch (error) {
        if (!isKind(error, 'failed') || failures === MOST_FAILURES) throw error;
        await delay(LOOK_MS, undefined, signal === undefined ? {} : { signal });
      }
    }
  }

  /** Of all that a base would be made of now: its definition, and the image that goes by its alias now. */
  private async hashOf({ image, hash }: BaseDefinition, signal?: AbortSignal): Promise<string> {
    const fingerprint = await this.options.host.imageFingerprint(image, signal);
    return createHash('sha256')
      .update(JSON.stringify([hash, fingerprint ?? null]))
      .digest('hex');
  }

  private async isTakenOver(name: BaseName, refusal: 'exists' | 'busy', { signal }: Run): Promise<boolean> {
    const status = statusOfBase(await this.find(name, signal));
    return status === 'building' || status === 'deleting' || (status === 'missing' && refusal === 'exists');
  }

  private async waitForOther({ name }: BaseDefinition, run: Run): Promise<void> {
    for (;;) {
      const sandbox = await this.findStarting(name, run.signal);
      const status = statusOfBase(sandbox);
      if (status !== 'building' && status !== 'deleting') return;
      const who = sandbox?.mark?.host === hostname() ? `process ${sandbox.mark.pid}` : (sandbox?.mark?.host ?? '');
      run.onProgress?.({ message: `Waiting for ${who}, which is building the base ${name}` });
      await delay(LOOK_MS, undefined, run.signal === undefined ? {} : { signal: run.signal });
    }
  }
}

function cloneOf({ name }: BaseDefinition): Source {
  return { from: { name: instanceOfBase(name), label: READY } };
}

function isWorthBuilding({ status, record }: Base): boolean {
  if (status === 'failed') return Date.now() - (record?.since ?? 0) > FAILED_FOR_MS;
  return status === 'missing' || status === 'stale' || status === 'interrupted';
}

function refuseCancelled(error: unknown): void {
  if (isKind(error, 'cancelled')) throw error;
}
