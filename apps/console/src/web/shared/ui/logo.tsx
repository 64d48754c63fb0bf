/** The mark: the line that the sea left, and the sea below it. */
export function LogoMark({ size = 28 }: { readonly size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} className="logo-mark" aria-hidden="true">
      <rect width="32" height="32" rx="8" />
      <path d="M6 9.5h20" className="logo-line" />
      <path d="M6 17.2c2.5-3 4.9-3 6.7-1.2s4.2 1.8 6.6-.2 4.5-2 6.7 0" className="logo-wave" />
      <path d="M6 23.7c2.5-3 4.9-3 6.7-1.2s4.2 1.8 6.6-.2 4.5-2 6.7 0" className="logo-wave logo-wave-far" />
    </svg>
  );
}

export function Wordmark() {
  return (
    <span className="wordmark">
      <LogoMark />
      <span>Tidemark</span>
    </span>
  );
}
