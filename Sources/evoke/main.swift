print("evoke")
