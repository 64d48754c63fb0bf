/** Three slow waves at the foot of the page. */
export function TideArt() {
  return (
    <div className="tide-art" aria-hidden="true">
      <svg viewBox="0 0 2400 320" preserveAspectRatio="none" className="tide tide-far">
        <path d={wavePath(150, 46)} />
      </svg>
      <svg viewBox="0 0 2400 320" preserveAspectRatio="none" className="tide tide-mid">
        <path d={wavePath(190, 38)} />
      </svg>
      <svg viewBox="0 0 2400 320" preserveAspectRatio="none" className="tide tide-near">
        <path d={wavePath(235, 28)} />
      </svg>
    </div>
  );
}

/** Two periods of a wave, so that sliding it by half its width repeats without a seam. */
function wavePath(level: number, height: number): string {
  const crest = [0, 1].map(period => {
    const x = period * 1200;
    return `C ${x + 200} ${level - height}, ${x + 400} ${level - height}, ${x + 600} ${level} S ${x + 1000} ${level + height}, ${x + 1200} ${level}`;
  });
  return `M 0 ${level} ${crest.join(' ')} V 320 H 0 Z`;
}
