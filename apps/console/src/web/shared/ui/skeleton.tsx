/** Grey shapes where content will be. */
export function Skeleton({ rows, height = 44 }: { readonly rows: number; readonly height?: number }) {
  return (
    <div className="skeleton">
      <output className="visually-hidden">Loading…</output>
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="skeleton-row" style={{ height }} aria-hidden="true">
          <span style={{ width: `${[12, 9, 14, 10][row % 4] ?? 12}%` }} />
          <span style={{ width: `${[34, 46, 28, 40][row % 4] ?? 40}%` }} />
          <span style={{ width: '8%' }} />
        </div>
      ))}
    </div>
  );
}
