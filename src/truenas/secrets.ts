const HIDDEN = '********';

/** Takes an API key out of a text, with or without the number that it begins with. */
export function scrubber(apiKey: string): (text: string) => string {
  const secret = apiKey.replace(/^\d+-(?=.{8})/, '');
  return (text) => text.replaceAll(apiKey, HIDDEN).replaceAll(secret, HIDDEN);
}
