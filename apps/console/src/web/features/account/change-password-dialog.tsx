import { useMutation } from '@tanstack/react-query';
import type { User } from '@tidemark/contracts';
import { useState } from 'react';
import { callApi } from '../../shared/api-client.ts';
import { ApiError } from '../../shared/api-error.ts';
import { passwordFault } from '../../shared/password-fault.ts';
import { showToast } from '../../shared/toasts.ts';
import { Button } from '../../shared/ui/button.tsx';
import { Dialog } from '../../shared/ui/dialog.tsx';
import { TextField } from '../../shared/ui/field.tsx';
import { FormError } from '../../shared/ui/form-error.tsx';

interface ChangePasswordDialogProps {
  readonly user: User;
  readonly onClose: () => void;
}

/** Everybody may change their own password, by proving the present one. */
export function ChangePasswordDialog({ user, onClose }: ChangePasswordDialogProps) {
  const [currentPassword, setCurrentPassword] = useState('');
  const [password, setPassword] = useState('');
  const [tried, setTried] = useState(false);
  const fault = passwordFault(password);
  const save = useMutation({
    mutationFn: () =>
      callApi<User>(`/api/users/${user.id}`, { method: 'PATCH', body: { currentPassword, password } }),
    onSuccess() {
      showToast('ok', 'Your password was changed', 'Your other sessions have ended.');
      onClose();
    },
  });
  const wrongCurrent = save.error instanceof ApiError && save.error.field === 'currentPassword';

  return (
    <Dialog
      title="Change your password"
      description="Your other sessions end when you save."
      onClose={onClose}
    >
      <form
        className="form"
        onSubmit={event => {
          event.preventDefault();
          setTried(true);
          if (fault === undefined) save.mutate();
        }}
      >
        {/* Password managers look for the account that a password belongs to. */}
        <input
          type="email"
          className="visually-hidden"
          autoComplete="username"
          value={user.email}
          readOnly
          hidden
        />
        <TextField
          label="Present password"
          type="password"
          autoComplete="current-password"
          required
          value={currentPassword}
          error={wrongCurrent ? 'This is not your present password.' : undefined}
          onChange={event => setCurrentPassword(event.target.value)}
        />
        <TextField
          label="New password"
          type="password"
          autoComplete="new-password"
          required
          value={password}
          hint="8 characters or more."
          error={tried ? fault : undefined}
          onChange={event => setPassword(event.target.value)}
        />
        {save.isError && !wrongCurrent && <FormError error={save.error} />}
        <div className="form-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" variant="primary" busy={save.isPending}>
            Change password
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
