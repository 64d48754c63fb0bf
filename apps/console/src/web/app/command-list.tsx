/* A combobox keeps the focus in its input and has its list driven from there; HTML has no element for such a list
   (ARIA Authoring Practices, "Combobox with listbox popup"), so the roles are given by hand. */
/* oxlint-disable jsx-a11y/prefer-tag-over-role, jsx-a11y/click-events-have-key-events,
   jsx-a11y/no-noninteractive-element-to-interactive-role, jsx-a11y/interactive-supports-focus */
import { CornerDownLeft } from 'lucide-react';
import { Kbd } from '../shared/ui/kbd.tsx';
import type { Command } from './commands.ts';

interface CommandListProps {
  readonly id: string;
  readonly commands: readonly Command[];
  /** Index of the command that Enter would run. */
  readonly active: number;
  readonly onActive: (index: number) => void;
  readonly onRun: (command: Command) => void;
}

export function CommandList({ id, commands, active, onActive, onRun }: CommandListProps) {
  return (
    <div id={id} role="listbox" aria-label="Commands" className="palette-list">
      {commands.map((command, index) => (
        <div
          key={command.id}
          ref={index === active ? bringIntoView : undefined}
          id={`${id}-${command.id}`}
          role="option"
          aria-selected={index === active}
          className="palette-item"
          onPointerMove={() => onActive(index)}
          onClick={() => onRun(command)}
        >
          <span className="palette-group muted">{command.group}</span>
          <span className="palette-title">{command.title}</span>
          {index === active ? (
            <CornerDownLeft size={15} aria-hidden="true" />
          ) : (
            command.keys !== undefined && <Kbd keys={command.keys} />
          )}
        </div>
      ))}
    </div>
  );
}

function bringIntoView(element: HTMLElement | null): void {
  element?.scrollIntoView({ block: 'nearest' });
}
