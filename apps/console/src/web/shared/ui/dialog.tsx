import { X } from 'lucide-react';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import { IconButton } from './button.tsx';

interface DialogProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly onClose: () => void;
  readonly size?: 'sm' | 'md' | 'lg';
  readonly children: ReactNode;
}

/**
 * A modal dialog on the platform's own element, which brings the focus trap, the inert page behind, Escape and the
 * return of the focus. It is open while it is rendered.
 */
export function Dialog({ title, description, onClose, size = 'md', children }: DialogProps) {
  const titleId = useId();
  const descriptionId = useId();
  return (
    <ModalFrame
      className={`dialog dialog-${size}`}
      labelledBy={titleId}
      describedBy={description === undefined ? undefined : descriptionId}
      onClose={onClose}
    >
      <header className="dialog-header">
        <div>
          <h2 id={titleId}>{title}</h2>
          {description !== undefined && <p id={descriptionId}>{description}</p>}
        </div>
        <IconButton label="Close" onClick={onClose}>
          <X size={18} />
        </IconButton>
      </header>
      {children}
    </ModalFrame>
  );
}

interface ModalFrameProps {
  readonly className: string;
  readonly labelledBy?: string;
  readonly label?: string;
  readonly describedBy?: string | undefined;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

/** The bare modal: for dialogs with a head of their own, such as the command palette. */
export function ModalFrame({
  className,
  labelledBy,
  label,
  describedBy,
  onClose,
  children,
}: ModalFrameProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // The platform would pick the close button, which comes first; a form is opened to be filled in.
    dialog?.querySelector<HTMLElement>('input:not([type=checkbox], [hidden]), textarea')?.focus();
    // Closing before the element goes gives the focus back to where it was.
    return () => dialog?.close();
  }, []);
  useLayoutEffect(() => {
    const dialog = ref.current;
    // The element covers the viewport behind its panel, so a click on itself is a click beside the panel.
    const onPress = (event: PointerEvent) => {
      if (event.target === dialog) onClose();
    };
    dialog?.addEventListener('pointerdown', onPress);
    return () => dialog?.removeEventListener('pointerdown', onPress);
  }, [onClose]);
  return (
    <dialog
      ref={ref}
      className={className}
      aria-labelledby={labelledBy}
      aria-label={label}
      aria-describedby={describedBy}
      onCancel={event => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className="dialog-panel">{children}</div>
    </dialog>
  );
}
