import js from '@eslint/js';
import ts from 'typescript-eslint';

/** Which rooms a room may import (ARCHITECTURE: arrows only point toward src/sandbox/). `vscode` is for its own room only. */
const ROOMS = {
  sandbox: [],
  config: ['sandbox'],
  incus: ['sandbox'],
  truenas: ['sandbox'],
  egress: ['sandbox'],
  provision: ['sandbox'],
  ssh: ['sandbox'],
  cli: ['sandbox', 'config', 'ssh', 'egress', 'provision', 'app'],
  app: ['sandbox', 'config', 'ssh', 'egress', 'provision', 'incus', 'truenas'],
  vscode: ['sandbox', 'config', 'ssh', 'egress', 'provision', 'app'],
};

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => {
  const others = Object.keys(ROOMS).filter((other) => other !== room && !allowed.includes(other));
  return {
    files: [`src/${room}/**/*.ts`],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths:
            room === 'vscode'
              ? []
              : [{ name: 'vscode', message: 'Only src/vscode/ and src/extension.ts know the editor.' }],
          patterns: others.map((other) => ({
            regex: `^\\.\\./(\\.\\./)*${other}(/|$)`,
            message: `src/${room}/ may not import src/${other}/: arrows only point toward src/sandbox/.`,
          })),
        },
      ],
    },
  };
});

export default ts.config(
  { ignores: ['dist', 'artifacts', 'node_modules'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [ts.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
    },
  },
  ...roomRules,
  {
    files: ['src/*.ts'],
    ignores: ['src/extension.ts'],
    rules: { '@typescript-eslint/no-restricted-imports': ['error', { paths: ['vscode'] }] },
  },
  {
    files: ['test/**/*.ts'],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'fetch',
          'URL',
          'URLSearchParams',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'AbortSignal',
          'AbortController',
          'performance',
          'structuredClone',
          'require',
          'module',
          'exports',
          '__dirname',
          'document',
          'window',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
