import { randomBytes } from 'node:crypto';
import type { Job } from '../rpc/jobs';

interface Download {
  readonly content: Buffer;
  readonly filename: string;
  readonly address: string;
}

/** What `/_download/JOB?auth_token=…` gives, once each. */
export class Downloads {
  private readonly given = new WeakMap<Job, Buffer>();
  private readonly offered = new Map<string, Download>();

  /** A job's output. */
  give(job: Job, content: Buffer): void {
    this.given.set(job, content);
  }

  async contentOf(job: Job): Promise<Buffer | undefined> {
    await job.ended;
    return this.given.get(job);
  }

  /** Returns the URL's path. */
  offer(jobId: number, filename: string, content: Buffer, address: string): string {
    const token = randomBytes(32).toString('base64url');
    const url = `/_download/${jobId}?auth_token=${token}`;
    this.offered.set(url, { content, filename, address });
    return url;
  }

  take(url: string, address: string): Download | undefined {
    const found = this.offered.get(url);
    if (found?.address !== address) return undefined;
    this.offered.delete(url);
    return found;
  }
}
