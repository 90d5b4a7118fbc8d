/** The version in package.json, put in by the bundler. */
declare const PIXELS_VERSION: string;

/** What runs inside a sandbox is bundled as text. */
declare module '*.sh' {
  const text: string;
  export default text;
}

declare module '*.pl' {
  const text: string;
  export default text;
}
declare module '*.toml' {
  const text: string;
  export default text;
}
declare module '*.service' {
  const text: string;
  export default text;
}
