/** A row as it is drawn: plain data, so that two of them can be compared and tests need no editor. */
export interface Row {
  readonly label: string;
  readonly description: string;
  readonly icon: Icon;
  /** Context value: `sandbox;running`. Menus match single tags with a regular expression. */
  readonly tags: readonly string[];
  readonly expandable: 'no' | 'collapsed' | 'expanded';
  /** For a screen reader, where label and description do not say it all. */
  readonly spoken?: string;
}

export interface Icon {
  /** A codicon. */
  readonly id: string;
  /** A theme colour. */
  readonly color?: string;
}
