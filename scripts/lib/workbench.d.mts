import type { Browser, Locator, Page } from 'playwright-core';
import type { Editor } from './editor-host.mjs';

export function launchBrowser(executablePath: string): Promise<Browser>;
export function openWorkbench(
  browser: Browser,
  editor: Editor,
  options?: { folder?: string; viewport?: { width: number; height: number } },
): Promise<Page>;
export function runCommand(page: Page, title: string): Promise<void>;
export function openView(page: Page, title: string): Promise<void>;
export function treeRow(page: Page, label: string, options?: { timeoutMs?: number }): Promise<Locator>;
export function expand(page: Page, row: Locator): Promise<void>;
export function notifications(page: Page): Promise<string[]>;
