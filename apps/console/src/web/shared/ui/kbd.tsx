/** Keys, as on the keyboard; `g o` are two keys one after the other. */
export function Kbd({ keys }: { readonly keys: string }) {
  return (
    <span className="kbd-group">
      {keys.split(' ').map((key, index) => (
        <kbd key={`${key}-${index}`}>{key}</kbd>
      ))}
    </span>
  );
}
