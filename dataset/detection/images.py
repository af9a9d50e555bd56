"""Images in a folder or a zip archive, read as gray. Needs numpy and OpenCV only."""

import zipfile
from pathlib import Path, PurePosixPath
from zlib import error as zlib_error

import cv2
import numpy as np

ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".ppm", ".pgm")
LONGEST_PX = 640  # images are reduced to this longest side: more would only fill the memory


class DataError(ValueError):
    """Training data that cannot be used; the message names the file and says what to do.

    Attributes:
        path: the file or folder at fault.
    """

    def __init__(self, message: str, path: Path | str) -> None:
        """Takes the message and the path at fault."""
        super().__init__(message)
        self.path = path


class ImageStore:
    """The files of a folder or a zip archive, by their names within it.

    Attributes:
        path: the folder or the archive.
        files: names of all files, sorted.
        images: names of the images among them, sorted.
    """

    def __init__(self, path: str | Path) -> None:
        """Lists the files.

        Args:
            path: a folder or a `.zip` file.

        Raises:
            DataError: neither of the two is there, or the archive is damaged.
        """
        self.path = Path(path)
        self._archive: zipfile.ZipFile | None = None
        if self.path.is_dir():
            found = (file.relative_to(self.path) for file in self.path.rglob("*") if file.is_file())
            self.files = sorted(file.as_posix() for file in found)
        elif self.path.is_file():
            try:
                self._archive = zipfile.ZipFile(self.path)
            except (zipfile.BadZipFile, OSError) as error:
                raise DataError(
                    f"{path}: expected a folder or a zip archive of images, got a file that is no archive "
                    f"({error}); unpack it and give the folder.",
                    self.path,
                ) from error
            self.files = sorted(name for name in self._archive.namelist() if not name.endswith("/"))
        else:
            raise DataError(
                f"{path}: expected a folder or a zip archive of images, got nothing there; check the path.",
                self.path,
            )
        self.images = [name for name in self.files if name.lower().endswith(ENDINGS)]

    def content(self, name: str) -> bytes:
        """Returns a file's bytes.

        Raises:
            DataError: it is not there or damaged.
        """
        try:
            return self._archive.read(name) if self._archive else (self.path / name).read_bytes()
        except (KeyError, OSError, zipfile.BadZipFile, zlib_error) as error:
            reason = " ".join(str(error).split())
            raise DataError(
                f"{self.path}: expected the file {name}, got none that can be read ({reason}); "
                "fetch the data again.",
                self.path / name,
            ) from error

    def text(self, name: str) -> str:
        """Returns a text file's content, bytes that are no UTF-8 replaced."""
        return self.content(name).decode("utf-8-sig", errors="replace")

    def read(self, name: str, *, longest_px: int = LONGEST_PX) -> tuple[np.ndarray, float]:
        """Returns an image, reduced where it is large, and the scale of its reduction.

        Args:
            name: of an image.
            longest_px: the longest side that an image may keep.

        Returns:
            `uint8 (height, width)`, gray, and a factor of at most 1.

        Raises:
            DataError: the file is no image.
        """
        content = np.frombuffer(self.content(name), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE) if len(content) else None
        if image is None:
            raise DataError(
                f"{self.path}: expected an image in {name}, got {len(content)} bytes that are none; "
                "delete the file or fetch it again.",
                self.path / name,
            )
        scale = min(1.0, longest_px / max(image.shape))
        if scale < 1:
            size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
            image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return image, scale

    def named(self, name: str) -> list[str]:
        """Returns the images whose path ends with the path `name`."""
        wanted = PurePosixPath(name.replace("\\", "/")).parts
        return [image for image in self.images if PurePosixPath(image).parts[-len(wanted) :] == wanted]


def store_of_images(path: str | Path) -> ImageStore:
    """Returns the files of a source of images.

    Args:
        path: a folder or a `.zip` file.

    Raises:
        DataError: it is neither, is damaged, or holds no image.
    """
    store = ImageStore(path)
    if not store.images:
        raise DataError(
            f"{path}: expected images ({', '.join(ENDINGS)}), got none among {len(store.files)} files; "
            "check the path.",
            store.path,
        )
    return store
