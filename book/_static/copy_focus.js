// Copying goes through a text field that is gone afterwards, and the focus with it: give it back to the button.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.(".copybtn");
  if (button) setTimeout(() => button.focus({ preventScroll: true }));
});
